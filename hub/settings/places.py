"""Where each value of the configuration was written, and the errors that say so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from canonical.errors import ConfigError

OptionPath = tuple[str | int, ...]
"""Names and positions from the top: ``("connections", "shop", "options", "secret")``."""


class SettingsError(ConfigError):
    """All that is wrong with the configuration at once; code, where and detail are the first's."""

    def __init__(self, problems: Iterable[ConfigError]) -> None:
        self.problems = tuple(problems)
        first = self.problems[0]
        super().__init__(first.code, first.where, first.detail)

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)

    def __reduce__(self) -> tuple[type[SettingsError], tuple[tuple[ConfigError, ...]]]:
        return type(self), (self.problems,)


@dataclass(frozen=True, slots=True)
class Layer:
    """Values of one source, and the place of each."""

    values: dict[str, Any] = field(default_factory=dict)
    places: Mapping[OptionPath, str] = field(default_factory=dict)

    def place(self, path: OptionPath) -> str:
        """The place of a value, or of the nearest thing around it that was written."""
        for length in range(len(path), -1, -1):
            if path[:length] in self.places:
                return self.places[path[:length]]
        return ""

    def under(self, other: Layer) -> Layer:
        """This layer with `other` on top: mappings are merged, everything else is replaced."""
        places = dict(self.places)
        values = _merge((), (self.values, other.values), places)
        return Layer(values, places | dict(other.places))


def _merge(
    path: OptionPath, values: tuple[dict[str, Any], dict[str, Any]], places: dict[OptionPath, str]
) -> dict[str, Any]:
    below, above = values
    merged = dict(below)
    for name, value in above.items():
        here = (*path, name)
        old = merged.get(name)
        if isinstance(old, dict) and isinstance(value, dict):
            merged[name] = _merge(here, (old, value), places)
            continue
        for replaced in [known for known in places if known[: len(here)] == here]:
            del places[replaced]
        merged[name] = value
    return merged


def dotted(path: OptionPath) -> str:
    """The path as a person would write it: ``routes[0].to``."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}"
    return text.removeprefix(".")
