"""A strict reader for JSON bodies: RFC 8259, and nothing that two readers could take differently.

Every number that is not a short integer stays the text that was sent, so that ``10.10`` is never
a binary float and a 64-bit id is never rounded. Integers of up to 15 digits become ``int``: that
many survive as a number in every JSONata engine (16 digits and more do not).

Codes, all `Rejected`; `where` is the place in the body as ``byte 123``, counted from 0:

=========================  ======================================================================
``body_empty``             nothing but white space
``body_not_utf8``          not UTF-8 (a byte order mark is accepted)
``json_too_deep``          more than 64 arrays and objects inside each other
``json_syntax``            truncated, trailing text, a second document, an unknown escape, ...
``json_duplicate_key``     one object names a key twice (readers differ in which one they keep)
``json_not_a_number``      NaN or Infinity (RFC 8259 section 6)
``json_number_too_large``  a number of more than 64 characters, or one like 1e400 or 1e-400
``json_null_character``    U+0000 in a string (PostgreSQL cannot store it)
``json_lone_surrogate``    half of a UTF-16 pair (RFC 8259 section 8.2)
``json_not_an_object``     a list or a bare value where an object is expected
=========================  ======================================================================
"""

from __future__ import annotations

import json
import re
from math import isinf
from typing import Any, NoReturn, cast

from canonical.errors import Rejected
from connectors.base import Json

MAX_DEPTH = 64
"""Arrays and objects inside each other."""
MAX_NUMBER = 64
"""Characters of one number."""

_INTEGER_DIGITS = 15

_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_TOKEN = re.compile(
    r'"[^"\\]*(?:\\.[^"\\]*)*"'  # a string
    r"|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?"  # a number
    r"|NaN|-?Infinity|[^ \t\r\n]",
    re.DOTALL | re.ASCII,
)
_SUSPECT_ESCAPE = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
_ESCAPE = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # a whole pair
    r"|(?P<null>u0000)|(?P<half>u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)
_BRACKETS = bytes.maketrans(b"{}", b"[]")
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_BOM = b"\xef\xbb\xbf"

_DETAIL = {
    "json_syntax": "expected JSON",
    "json_duplicate_key": "expected every key of an object once",
    "json_not_a_number": "expected a number, not NaN or Infinity",
    "json_number_too_large": "expected a number of at most 64 characters that a double can hold",
    "json_null_character": "expected no U+0000",
    "json_lone_surrogate": "expected both halves of the UTF-16 pair",
}


class _Refused(Exception):
    """A hook met something to refuse; `_first_refusal` then finds out where."""


def read_object(body: bytes) -> Json:
    """Read a body that must be one JSON object.

    Raises:
        Rejected: see the module's table.

    """
    value = read_json(body)
    if not isinstance(value, dict):
        raise Rejected("json_not_an_object", "byte 0", "expected a JSON object")
    return value


def read_json(body: bytes) -> Any:
    """Read a body of one JSON value: dict, list, str, int, bool or None, never a float.

    Raises:
        Rejected: see the module's table.

    """
    if body.startswith(_BOM):
        body = b"   " + body[len(_BOM) :]  # blanks, so that every place still counts from byte 0
    text = _text(body)
    _refuse_depth(body)
    if _SUSPECT_ESCAPE.search(text):
        _refuse_escapes(text)
    try:
        return _DECODER.decode(text)
    except _Refused:
        code, position = _first_refusal(text)
        _refuse(code, text, position, _DETAIL[code])
    except json.JSONDecodeError as error:
        _refuse("json_syntax", text, error.pos, f"expected JSON: {error.msg}")


def _text(body: bytes) -> str:
    if not body.strip(b" \t\r\n"):
        raise Rejected("body_empty", "byte 0", "expected a JSON document")
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Rejected("body_not_utf8", f"byte {error.start}", "expected UTF-8") from None


def _refuse(code: str, text: str, position: int, detail: str) -> NoReturn:
    raise Rejected(code, f"byte {len(text[:position].encode())}", detail) from None


def _refuse_depth(body: bytes) -> None:
    """Measure the nesting before anything recurses: every pass takes one level of brackets off."""
    if body.count(b"[") + body.count(b"{") <= MAX_DEPTH:
        return
    skeleton = _STRING.sub(b"", body).translate(_BRACKETS, _NO_BRACKETS)
    for _ in range(MAX_DEPTH):
        shorter = skeleton.replace(b"[]", b"")
        if len(shorter) == len(skeleton):
            break
        skeleton = shorter
    # What is left of a well-formed body lies deeper; an unbalanced one is for the parser to place.
    if len(skeleton) - len(skeleton.lstrip(b"[")) > MAX_DEPTH or b"[]" in skeleton:
        _refuse_deep_at(body)


def _refuse_deep_at(body: bytes) -> None:
    masked = _STRING.sub(lambda found: b" " * len(found[0]), body)
    depth = 0
    for bracket in re.finditer(rb"[\[\]{}]", masked):
        depth += 1 if bracket[0] in b"[{" else -1
        if depth > MAX_DEPTH:
            expected = f"expected at most {MAX_DEPTH} levels"
            raise Rejected("json_too_deep", f"byte {bracket.start()}", expected)


def _refuse_escapes(text: str) -> None:
    for escape in _ESCAPE.finditer(text):
        if escape["null"]:
            _refuse("json_null_character", text, escape.start(), _DETAIL["json_null_character"])
        if escape["half"]:
            _refuse("json_lone_surrogate", text, escape.start(), _DETAIL["json_lone_surrogate"])


def _object(pairs: list[tuple[str, Any]]) -> Json:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise _Refused
    return result


def _integer(text: str) -> int | str:
    if len(text) <= _INTEGER_DIGITS:
        return int(text)
    if len(text) > MAX_NUMBER:
        raise _Refused
    return text if len(text.lstrip("-")) > _INTEGER_DIGITS else int(text)


def _decimal(text: str) -> str:
    if len(text) > MAX_NUMBER:
        raise _Refused
    mantissa, exponential, _ = text.lower().partition("e")
    if exponential and (isinf(float(text)) or (not float(text) and mantissa.strip("-0."))):
        raise _Refused  # a reader that uses doubles would see infinity, or nothing at all
    return text


def _constant(_: str) -> NoReturn:
    raise _Refused


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_int=_integer,
    parse_float=_decimal,
    parse_constant=_constant,
)


def _first_refusal(text: str) -> tuple[str, int]:
    """The code and character position of the first thing that a hook refuses; the slow way."""
    keys: list[set[str] | None] = []  # one entry per open bracket; None for an array
    previous = ""
    for token in _TOKEN.finditer(text):
        word = token[0]
        if word in "{[":
            keys.append(set() if word == "{" else None)
        elif word in "}]":
            keys.pop()
        elif word.startswith('"'):
            seen = keys[-1] if keys and previous in "{," else None
            if seen is not None and _is_repeated(word, seen):
                return "json_duplicate_key", token.start()
        elif code := _number_refusal(word):
            return code, token.start()
        previous = word
    return "json_syntax", 0


def _is_repeated(word: str, seen: set[str]) -> bool:
    key = cast("str", json.loads(word))
    if key in seen:
        return True
    seen.add(key)
    return False


def _number_refusal(word: str) -> str:
    if word in {"NaN", "Infinity", "-Infinity"}:
        return "json_not_a_number"
    if word[0] not in "-0123456789":
        return ""
    try:
        _decimal(word)
    except _Refused:
        return "json_number_too_large"
    return ""
