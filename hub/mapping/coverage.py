"""What worked cases of a mapping do not show: what it reads, what it does not, what it never makes.

A source field counts as named where its own name stands in the expression. One that a mapping takes
up whole, with the segment or object around it, is therefore listed too: whoever reads the list
knows which those are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from hub.fields import field_types
from hub.mapping.cases import Case
from hub.mapping.files import MappingFile
from hub.mapping.lint.seen import unseen
from hub.mapping.lint.tree import parse

_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_NAME = re.compile(r"`([^`]*)`|\"((?:[^\"\\]|\\.)*)\"|'((?:[^'\\]|\\.)*)'|([A-Za-z_]\w*)")


@dataclass(frozen=True, slots=True)
class Coverage:
    """Of one mapping with its cases."""

    source_fields: int
    """Different source fields in the inputs of the cases."""
    unread: tuple[str, ...]
    """Those whose name does not stand in the mapping."""
    unshown: tuple[str, ...]
    """Names that an inbound mapping reads, and no case has where it looks for them."""
    result_fields: int
    """Fields that the result may have; inbound alone, as a target's words are its own."""
    unmade: tuple[str, ...]
    """Those that no case produces."""


def coverage(file: MappingFile, cases: Iterable[Case]) -> Coverage:
    """Look at a mapping and all its cases."""
    given = list(cases)
    inbound = file.direction == "in"
    named = _names(file.text)
    source = {path for case in given for path in _leaves(case.source, "")}
    unread = sorted(path for path in source if path.rpartition(".")[2] not in named)
    fields = set(field_types(file.entity)) if inbound else set()
    shown = [case.source for case in given]
    unshown = sorted(unseen(parse(file.text), shown)) if inbound else ()
    made = {path for case in given for path in _all_fields(case.expect, "")}
    return Coverage(
        len(source), tuple(unread), tuple(unshown), len(fields), tuple(sorted(fields - made))
    )


def _names(text: str) -> set[str]:
    found = _NAME.findall(_COMMENT.sub(" ", text))
    return {next(filter(None, groups), "") for groups in found}


def _leaves(value: Any, path: str) -> Iterator[str]:
    """The fields that hold a value, without positions."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, f"{path}.{key}".removeprefix("."))
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item, path)
    elif value is not None:
        yield path


def _all_fields(value: Any, path: str) -> Iterator[str]:
    """All fields, those around others included, without positions."""
    if isinstance(value, dict):
        for key, item in value.items():
            inner = f"{path}.{key}".removeprefix(".")
            yield inner
            yield from _all_fields(item, inner)
    elif isinstance(value, list):
        for item in value:
            yield from _all_fields(item, path)
