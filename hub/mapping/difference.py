"""Compares two JSON values and says where they differ, as a person would."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

_MOST = 30
_WIDTH = 80
_NOTHING = object()


def differences(expected: Any, actual: Any) -> list[str]:
    """One line for each place that differs: ``lines[0].item: expected "A", got "B"``."""
    found = [
        f"{path or 'document'}: expected {_short(left)}, got {_short(right)}"
        for path, left, right in _compare("", expected, actual)
    ]
    if len(found) > _MOST:
        return [*found[:_MOST], f"and {len(found) - _MOST} more differences"]
    return found


def places_that_differ(before: Any, after: Any) -> list[tuple[str, str, str]]:
    """(place, value before, value after) of everything that differs; values shortened."""
    return [
        (path or "document", _short(left), _short(right))
        for path, left, right in _compare("", before, after)
    ]


def _compare(path: str, expected: Any, actual: Any) -> Iterator[tuple[str, Any, Any]]:
    pairs = _inner(expected, actual)
    if pairs is not None:
        for step, left, right in pairs:
            yield from _compare(f"{path}{step}".removeprefix("."), left, right)
    elif type(expected) is not type(actual) or expected != actual:
        yield path, expected, actual


def _inner(expected: Any, actual: Any) -> list[tuple[str, Any, Any]] | None:
    """The pairs to compare inside of two containers of one kind; None for anything else."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        keys = sorted(expected.keys() | actual.keys())
        return [(f".{k}", expected.get(k, _NOTHING), actual.get(k, _NOTHING)) for k in keys]
    if isinstance(expected, list) and isinstance(actual, list):
        longest = max(len(expected), len(actual))
        left = expected + [_NOTHING] * (longest - len(expected))
        right = actual + [_NOTHING] * (longest - len(actual))
        return [(f"[{index}]", left[index], right[index]) for index in range(longest)]
    return None


def _short(value: Any) -> str:
    if value is _NOTHING:
        return "nothing"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 3]}..."
