"""Comparing what we would send with what a target has, or one text with another.

Paths are for plans and listings; values only for who asks for them by name (`dlq diff`).
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

_MOST = 200
_LONGEST = 200
_NOTHING = object()
_TERMINATOR = 105
"""Where an interchange says what ends its segments: the last character of ISA (X12.5)."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One place that differs; `left` and `right` are values, None where there is nothing."""

    where: str
    left: str | None
    right: str | None


def beyond(sent: Any, there: Any) -> list[Difference]:
    """Return where a target has something else than what is sent to it.

    What the target adds of its own does not count. Decimals are compared by value: targets write
    ``2.0`` for ``2``; texts without regard to case and blanks at their ends, as codes are kept.
    """
    return list(_beyond("", sent, there))[:_MOST]


def between(left: bytes, right: bytes) -> list[Difference]:
    """Return where two documents differ: field by field if both are JSON, else line by line."""
    try:
        before, after = json.loads(left), json.loads(right)
    except ValueError:
        return list(_lines(left, right))[:_MOST]
    return list(_exact("", before, after))[:_MOST]


def _beyond(path: str, sent: Any, there: Any) -> Iterator[Difference]:
    if isinstance(sent, Mapping) and isinstance(there, Mapping):
        for name, value in sent.items():
            where = f"{path}.{name}".removeprefix(".")
            yield from _beyond(where, value, there.get(name, _NOTHING))
    elif isinstance(sent, list) and isinstance(there, list):
        longest = max(len(sent), len(there))
        for index in range(longest):
            yield from _beyond(f"{path}[{index}]", _at(sent, index), _at(there, index))
    elif not _same(sent, there):
        yield Difference(path, _text(sent), _text(there))


def _exact(path: str, left: Any, right: Any) -> Iterator[Difference]:
    if isinstance(left, dict) and isinstance(right, dict):
        for name in sorted(left.keys() | right.keys()):
            where = f"{path}.{name}".removeprefix(".")
            yield from _exact(where, left.get(name, _NOTHING), right.get(name, _NOTHING))
    elif isinstance(left, list) and isinstance(right, list):
        for index in range(max(len(left), len(right))):
            yield from _exact(f"{path}[{index}]", _at(left, index), _at(right, index))
    elif type(left) is not type(right) or left != right:
        yield Difference(path, _text(left), _text(right))


def _lines(left: bytes, right: bytes) -> Iterator[Difference]:
    """Compare texts; an X12 interchange without line ends is cut at its segments."""
    before, after = _cut(left), _cut(right)
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    for tag, i, j, k, m in matcher.get_opcodes():
        if tag != "equal":
            one, other = "\n".join(before[i:j]), "\n".join(after[k:m])
            yield Difference(f"line {i + 1}", _text(one or _NOTHING), _text(other or _NOTHING))


def _cut(text: bytes) -> list[str]:
    plain = text.decode(errors="replace")
    if plain.startswith("ISA") and len(plain) > _TERMINATOR:
        return [each.strip() for each in plain.split(plain[_TERMINATOR])]
    return plain.splitlines()


def _at(values: Sequence[Any], index: int) -> Any:
    return values[index] if index < len(values) else _NOTHING


def _same(sent: Any, there: Any) -> bool:
    if sent is _NOTHING or there is _NOTHING:
        return False
    if sent == there:
        return True
    one, other = _number(sent), _number(there)
    if one is not None and other is not None:
        return one == other
    return str(sent).strip().casefold() == str(there).strip().casefold()


def _number(value: Any) -> Decimal | None:
    if isinstance(value, bool):
        return None
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def _text(value: Any) -> str | None:
    if value is _NOTHING:
        return None
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
