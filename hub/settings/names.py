"""Which options there are at a path, and the nearest one to a misspelt name."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Collection, Mapping, Sequence
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

from hub.settings.places import OptionPath, dotted

_FEW = 6


def option_names(model: type[BaseModel], path: OptionPath) -> set[str]:
    """The names that may stand below `path` in a document of `model`."""
    kinds: list[Any] = [model]
    for step in path:
        kinds = [inner for kind in kinds for inner in _step(kind, step)]
    return {name for kind in kinds for found in _models(kind) for name in found.model_fields}


def description(model: type[BaseModel], path: OptionPath) -> str:
    """What stands in the documentation of the option at `path`, or of the nearest around it."""
    kinds: list[Any] = [model]
    text = ""
    for step in path:
        fields = [
            m.model_fields[str(step)] for k in kinds for m in _models(k) if step in m.model_fields
        ]
        if fields:
            text = fields[0].description or ""
        kinds = [inner for kind in kinds for inner in _step(kind, step)]
    return text


def no_such_option(model: type[BaseModel], path: OptionPath) -> str | None:
    """What is wrong with a path that names no option, in plain words; None if it names one."""
    for length in range(1, len(path) + 1):
        names = option_names(model, path[: length - 1])
        if names and path[length - 1] not in names:
            return f"{dotted(path[:length])}: no such option{did_you_mean(path[length - 1], names)}"
        if not names and not _leads_on(model, path[: length - 1]):
            return f"{dotted(path)}: no such option"
    return None


def nearest(name: str | int, names: Collection[str]) -> str | None:
    """The name that was probably meant, or None where no name is near."""
    near = difflib.get_close_matches(str(name), sorted(names), n=1)
    return near[0] if near else None


def did_you_mean(name: str | int, names: Collection[str]) -> str:
    """A hint to append: the nearest name; else all of them if they are few; else nothing."""
    near = nearest(name, names)
    if near:
        return f"; did you mean `{near}`?"
    return f"; expected one of: {', '.join(sorted(names))}" if 0 < len(names) <= _FEW else ""


def _leads_on(model: type[BaseModel], path: OptionPath) -> bool:
    kinds: list[Any] = [model]
    for step in path:
        kinds = [inner for kind in kinds for inner in _step(kind, step)]
    return any(get_origin(part) in {dict, Mapping} for kind in kinds for part in _parts(kind))


def _parts(kind: Any) -> list[Any]:
    """The alternatives of an annotation."""
    if get_origin(kind) is Annotated:
        return _parts(get_args(kind)[0])
    if get_origin(kind) in {Union, UnionType}:
        return [part for alternative in get_args(kind) for part in _parts(alternative)]
    return [kind]


def _models(kind: Any) -> list[type[BaseModel]]:
    return [p for p in _parts(kind) if inspect.isclass(p) and issubclass(p, BaseModel)]


def _step(kind: Any, step: str | int) -> list[Any]:
    """The annotations that one step below an annotation can have."""
    found: list[Any] = [
        model.model_fields[str(step)].annotation
        for model in _models(kind)
        if step in model.model_fields
    ]
    for part in _parts(kind):
        if get_origin(part) in {dict, Mapping}:
            found.append(get_args(part)[1])
        elif get_origin(part) in {tuple, list, Sequence}:
            found.append(get_args(part)[0])
    return found
