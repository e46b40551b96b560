"""JSON Patch (RFC 6902) on JSON whose numbers keep their digits.

Pure functions of values. Codes: ``patch_invalid`` (it is no JSON Patch), ``patch_failed`` (an
operation cannot be applied: `where` is its index), ``not_json`` (the document is not).
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from typing import Any

from canonical.errors import Rejected

_MOST_OPERATIONS = 1000
_NEEDS = {
    "add": ("value",), "remove": (), "replace": ("value",), "move": ("from",), "copy": ("from",),
    "test": ("value",),
}  # fmt: skip


class Digits(str):
    """A JSON number as it was written: ``10.00`` stays ``10.00``."""

    __slots__ = ()


def read(text: bytes) -> Any:
    """Read JSON, numbers as `Digits`.

    Raises:
        Rejected: ``not_json``.
    """
    try:
        return json.loads(text, parse_float=Digits, parse_int=Digits, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise Rejected("not_json", "", "the document is not JSON: edit it as text") from None


def _refuse(word: str) -> None:
    raise ValueError(word)


def write(value: Any) -> bytes:
    """Write what `read` or a patch gave, compactly."""
    return _text(value).encode()


def _text(value: Any) -> str:
    if isinstance(value, Digits):
        return str(value)
    if isinstance(value, dict):
        pairs = (f"{json.dumps(name, ensure_ascii=False)}:{_text(v)}" for name, v in value.items())
        return "{" + ",".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_text, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def apply(document: Any, patch: Any) -> Any:
    """Return the document after all operations; the given one is not changed.

    Args:
        document: as `read` gives it.
        patch: the operations, as `read` gives them.

    Raises:
        Rejected: ``patch_invalid`` or ``patch_failed``; nothing of it has been applied.
    """
    if not isinstance(patch, list) or not patch or len(patch) > _MOST_OPERATIONS:
        detail = f"expected a list of 1 to {_MOST_OPERATIONS} operations (RFC 6902)"
        raise Rejected("patch_invalid", "", detail)
    holder: dict[str, Any] = {"": copy.deepcopy(document)}
    for index, operation in enumerate(patch):
        name = _checked(operation, index)
        try:
            _OPERATIONS[name](holder, operation)
        except (KeyError, IndexError, ValueError, TypeError) as error:
            detail = f"{name} cannot be applied: {type(error).__name__}"
            raise Rejected("patch_failed", f"[{index}]", detail) from None
    return holder[""]


def _checked(operation: Any, index: int) -> str:
    name = operation.get("op") if isinstance(operation, Mapping) else None
    if not isinstance(name, str) or name not in _NEEDS:
        expected = f"expected one of {', '.join(_NEEDS)}"
        raise Rejected("patch_invalid", f"[{index}].op", expected)
    for needed in ("path", *_NEEDS[name]):
        if needed not in operation:
            raise Rejected("patch_invalid", f"[{index}].{needed}", "it is missing")
    return name


def _steps(pointer: Any) -> list[str]:
    """Return the reference tokens of a JSON Pointer (RFC 6901 section 4)."""
    if not isinstance(pointer, str) or (pointer and not pointer.startswith("/")):
        raise ValueError("pointer")
    return ["", *(each.replace("~1", "/").replace("~0", "~") for each in pointer.split("/")[1:])]


def _parent(holder: Any, pointer: Any) -> tuple[Any, str]:
    *steps, last = _steps(pointer)
    found = holder
    for step in steps:
        found = found[_index(found, step)] if isinstance(found, list) else found[step]
    if not isinstance(found, dict | list):
        raise TypeError("parent")
    return found, last


def _index(values: list[Any], step: str, *, end: bool = False) -> int:
    """Return the index that a token names: no sign, no leading zero (RFC 6901 section 4)."""
    if end and step == "-":
        return len(values)
    if not (step.isascii() and step.isdigit()) or (step[0] == "0" and step != "0"):
        raise ValueError("index")
    if int(step) > len(values) - (not end):
        raise IndexError(step)
    return int(step)


def _get(holder: Any, pointer: Any) -> Any:
    parent, last = _parent(holder, pointer)
    return parent[_index(parent, last)] if isinstance(parent, list) else parent[last]


def _put(holder: Any, pointer: Any, value: Any) -> None:
    parent, last = _parent(holder, pointer)
    if isinstance(parent, list):
        parent.insert(_index(parent, last, end=True), value)
    else:
        parent[last] = value


def _take(holder: Any, pointer: Any) -> Any:
    parent, last = _parent(holder, pointer)
    if not pointer:
        raise ValueError("the whole document")
    return parent.pop(_index(parent, last) if isinstance(parent, list) else last)


def _add(holder: Any, operation: Mapping[str, Any]) -> None:
    _put(holder, operation["path"], copy.deepcopy(operation["value"]))


def _remove(holder: Any, operation: Mapping[str, Any]) -> None:
    _take(holder, operation["path"])


def _replace(holder: Any, operation: Mapping[str, Any]) -> None:
    parent, last = _parent(holder, operation["path"])
    where: Any = _index(parent, last) if isinstance(parent, list) else last
    parent[where]  # it must be there (RFC 6902 section 4.3)
    parent[where] = copy.deepcopy(operation["value"])


def _move(holder: Any, operation: Mapping[str, Any]) -> None:
    if str(operation["path"]).startswith(f"{operation['from']}/"):
        raise ValueError("into itself")  # RFC 6902 section 4.4
    _put(holder, operation["path"], _take(holder, operation["from"]))


def _copy(holder: Any, operation: Mapping[str, Any]) -> None:
    _put(holder, operation["path"], copy.deepcopy(_get(holder, operation["from"])))


def _test(holder: Any, operation: Mapping[str, Any]) -> None:
    there, expected = _get(holder, operation["path"]), operation["value"]
    if type(there) is not type(expected) or there != expected:
        raise ValueError("differs")


_OPERATIONS = {
    "add": _add,
    "remove": _remove,
    "replace": _replace,
    "move": _move,
    "copy": _copy,
    "test": _test,
}
