"""Turns pydantic's findings into errors with the place in the file. Values never enter the text.

Codes: ``option_unknown``, ``option_missing``, ``value_invalid``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from canonical.errors import ConfigError
from hub.settings.names import description, did_you_mean, nearest, option_names
from hub.settings.places import Layer, OptionPath, dotted

_WORDS = {
    "string_type": "expected text; put the value in quotes",
    "tuple_type": "expected a list: [...]",
    "list_type": "expected a list: [...]",
    "string_too_short": "expected {min_length} characters or more",
    "too_short": "expected {min_length} or more in the list",
    "union_tag_not_found": "{discriminator} is required",
}
"""What pydantic finds, in plain words."""


def problems(
    error: ValidationError,
    model: type[BaseModel],
    layer: Layer,
    base: OptionPath = (),
    unset: Collection[OptionPath] = (),
) -> list[ConfigError]:
    """One error for each finding.

    Args:
        error: what pydantic found.
        model: what the values were read as.
        layer: the values and their places.
        base: where in the layer the values of `model` begin.
        unset: secrets for which something else stood: only whether one may stand there is told.

    """
    details = error.errors(include_url=False, include_input=False)
    values = _at(layer.values, base)
    located = [((*base, *_written(detail["loc"], values)), detail) for detail in details]
    located = [each for each in located if not _follows(each, located, unset)]
    known = partial(_known, model, len(base))
    unknown = [path for path, detail in located if detail["type"] == "extra_forbidden"]
    meant = {(*path[:-1], nearest(path[-1], known(path))) for path in unknown}
    return [
        _problem(path, detail, layer, (known, description(model, path[len(base) :])))
        for path, detail in located
        # A misspelt name is one mistake, not also a missing one.
        if not (detail["type"] == "missing" and path in meant)
    ]


def without(error: ValidationError, values: dict[str, Any]) -> dict[str, Any]:
    """Return the values without those that were refused, so that the rest can be looked at."""
    rest: dict[str, Any] = _copy(values)
    for detail in error.errors(include_url=False, include_context=False, include_input=False):
        path = _written(detail["loc"], values)
        if path and detail["type"] != "missing":
            _drop(rest, path)
    return rest


def _drop(values: Any, path: OptionPath) -> None:
    """Drop a value of a mapping; one of a list takes the list with it, or positions would shift."""
    names = [index for index, step in enumerate(path) if isinstance(step, str)]
    path = path[: names[-1] + 1]
    for step in path[:-1]:
        try:
            values = values[step]
        except (KeyError, IndexError, TypeError):
            return  # gone with something around it
    if isinstance(values, dict):
        values.pop(path[-1], None)


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _copy(inner) for name, inner in value.items()}
    return [_copy(inner) for inner in value] if isinstance(value, list) else value


def _known(model: type[BaseModel], base: int, path: OptionPath) -> set[str]:
    return option_names(model, path[base:-1])


def _follows(
    one: tuple[OptionPath, ErrorDetails],
    located: Sequence[tuple[OptionPath, ErrorDetails]],
    unset: Collection[OptionPath],
) -> bool:
    """Whether a finding is no mistake of its own."""
    path, detail = one
    if path in unset and not detail["type"].endswith("_type"):
        return True
    # Where one of a list is wrong, pydantic counts the others and finds too few.
    return detail["type"] == "too_short" and any(
        len(other) > len(path) and other[: len(path)] == path for other, _ in located
    )


def _problem(
    path: OptionPath,
    detail: ErrorDetails,
    layer: Layer,
    about: tuple[Callable[[OptionPath], set[str]], str],
) -> ConfigError:
    known, described = about
    if detail["type"] == "missing":
        text = f"{dotted(path)} is required"
        return ConfigError("option_missing", layer.place(path[:-1]), text)
    if detail["type"] == "extra_forbidden":
        text = f"{dotted(path)}: no such option{did_you_mean(path[-1], known(path))}"
        return ConfigError("option_unknown", layer.place(path), text)
    text = f"{dotted(path)}: {_expected(detail, described)}"
    return ConfigError("value_invalid", layer.place(path), text)


def _expected(detail: ErrorDetails, described: str) -> str:
    """What is expected where something else stands, in plain words."""
    context, kind = detail.get("ctx", {}), detail["type"]
    if kind == "too_short" and context["field_type"] == "Value":  # a secret
        kind = "string_too_short"
    if kind in _WORDS:
        return _WORDS[kind].format_map(context)
    if kind == "string_pattern_mismatch":
        return f"not of the form that is expected: {described or context['pattern']}"
    if kind == "union_tag_invalid":
        tags = [tag.strip(" '") for tag in str(context["expected_tags"]).split(",")]
        return f"no such {context['discriminator']}{did_you_mean(str(context['tag']), tags)}"
    return detail["msg"].removeprefix("Value error, ")


def _at(values: Any, path: OptionPath) -> Any:
    for step in path:
        values = values[step]
    return values


def _written(location: tuple[str | int, ...], values: Any) -> OptionPath:
    """The location without what pydantic adds to it: union tags, and marks of mapping keys."""
    path: list[str | int] = []
    for index, step in enumerate(location):
        last = index == len(location) - 1
        if isinstance(values, dict):
            if step in values:
                values = values[step]
            elif not last:
                continue  # the tag of a union's alternative
            path.append(step) if step != "[key]" else None
        elif isinstance(values, list) and isinstance(step, int) and step < len(values):
            values = values[step]
            path.append(step)
    return tuple(path)
