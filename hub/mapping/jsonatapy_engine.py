"""The engine that runs mappings: jsonatapy, within limits, with our host functions.

It raises bare ValueErrors with the code in the text, which may quote the document: only the code
is taken over. It holds the GIL while it evaluates and can outrun its own limits; callers who cannot
afford that run it in `hub.workers`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import jsonatapy
import orjson

from canonical.errors import ConfigError, Rejected
from connectors.base import Json
from hub.mapping.engine import Limits
from hub.mapping.functions import FUNCTIONS, OVERRIDES, HostFunction
from hub.mapping.places import as_rejected
from hub.mapping.refused import Refused
from hub.mapping.values import check_source, clean_result

_CODE = re.compile(r"\b([DSTU]\d{4})\b")
_SIGNS = tuple(re.compile(before + rb"[-0-9n]").search for before in (rb":", rb"\[", rb","))
"""A number or a null may stand in compact JSON where one of these is found. One each: an expression
that begins with a plain character is searched for five times as fast as one with a choice."""
_TIMEOUT, _STACK, _SEQUENCE = "D1012", "D1011", "D2015"
_MEANINGS = {
    "D1001": "a number out of range",
    "D1002": "the minus sign in front of something that is no number",
    _STACK: "the expression recurses too deep",
    "D3030": "a text that cannot be cast to a number",
    "D3110": "a text that is no timestamp",
    "D3137": "the mapping called $error; use $fail, which has a code and a place",
    "D3141": "an assertion of the mapping does not hold; use $fail, which has a code and a place",
    "T0410": "a function got an argument of the wrong type",
    "T0411": "a function got a context of the wrong type",
    "T0412": "a function got an array with elements of the wrong type",
    "T1003": "the key of an object is no text",
    "T1006": "a call of something that is no function",
    "T2001": "the left side of an arithmetic operator is no number",
    "T2002": "the right side of an arithmetic operator is no number",
    "T2009": "a comparison of values of different types",
    "T2010": "a comparison of something that is neither number nor text",
    "U1002": "the document or the expression nests too deep",
}


class JsonatapyMapping:
    """One mapping, compiled for the calling thread.

    Args:
        text: the JSONata expression.
        name: the mapping's file as errors name it.
        limits: how far one evaluation may go.

    Raises:
        ConfigError: ``mapping_syntax``.

    """

    def __init__(self, text: str, name: str, limits: Limits) -> None:
        self._name = name
        self._limits = limits
        self._refused: Refused | None = None
        try:
            self._expression = jsonatapy.compile(
                text,
                timeout=limits.milliseconds,
                max_stack_depth=limits.stack,
                max_sequence_length=limits.sequence,
            )
        except ValueError as error:
            detail = f"JSONata {_code_in(error)}: `crossdock map lint` says where"
            raise ConfigError("mapping_syntax", name, detail) from None
        for word, function in FUNCTIONS.items():
            self._expression.register(word, self._host(function))
        for word, function in OVERRIDES.items():
            self._expression.register_override(word, self._host(function))

    def apply(self, source: Json, bindings: Json, *, textual: bool = False) -> Json:
        """See `hub.mapping.engine.Mapping`."""
        result: Json = self._guarded(self._applied, source, bindings, textual=textual)
        return result

    def written(self, source: Json, bindings: Json, *, textual: bool = False) -> bytes:
        """See `hub.mapping.engine.Mapping`; a sixth cheaper than `apply` and writing the result."""
        text: bytes = self._guarded(self._written, source, bindings, textual=textual)
        return text

    def _guarded(
        self, run: Callable[[Json, Json], Any], source: Json, bindings: Json, *, textual: bool
    ) -> Any:
        self._refused = None
        try:
            if not textual:
                check_source(source, self._limits.depth)
            return run(source, bindings)
        except Refused as refused:
            raise as_rejected(refused, self._name, source) from None

    def _applied(self, source: Json, bindings: Json) -> Json:
        return self._cleaned(self._evaluate(self._expression.evaluate_with_data, source, bindings))

    def _written(self, source: Json, bindings: Json) -> bytes:
        made = self._evaluate(self._expression.evaluate_data_to_json, source, bindings)
        text: bytes = made.encode()
        if text[:1] == b"{" and not any(sign(text) for sign in _SIGNS):
            return text
        return orjson.dumps(self._cleaned(orjson.loads(text)))

    def _cleaned(self, result: Any) -> Json:
        if not isinstance(result, dict):
            expected = "expected one object; did a path at the top match nothing?"
            raise Rejected("mapping_undefined", self._name, expected)
        clean_result(result, self._limits.depth)
        return result

    def _evaluate(self, evaluate: Callable[[Any, Json], Any], source: Json, bindings: Json) -> Any:
        # Taken over whole: a Python object would be asked again at every step of a path, which
        # costs a quarter more, and results would alias it.
        data = jsonatapy.JsonataData(source)
        try:
            return evaluate(data, bindings)
        except (KeyboardInterrupt, SystemExit, MemoryError):
            raise
        except BaseException as error:
            # PyO3's PanicException is no Exception: caught here or it ends the process.
            failed = self._refused or _translated(error)
        # Outside of the handler: the engine's own error would keep the data, which must not be
        # let go in another thread.
        del data
        raise failed.with_traceback(None)

    def _host(self, function: HostFunction) -> Callable[..., object]:
        call, least, most = function.call, function.least, function.most

        def host(*arguments: object) -> object:
            try:
                if least <= len(arguments) <= most:  # as `checked`, a call less
                    return call(*arguments)
                return function.checked(arguments)
            except Refused as refused:
                # The engine keeps only the text of what a function raises.
                self._refused = refused
                raise

        return host


def _code_in(error: BaseException) -> str:
    found = _CODE.search(str(error))
    return found[1] if found else ""


def _translated(error: BaseException) -> Refused:
    code = _code_in(error)
    if code == _TIMEOUT:
        return Refused("mapping_timeout", "the expression ran too long")
    if code == _SEQUENCE:
        return Refused("mapping_too_large", "the expression made too long a sequence")
    meaning = _MEANINGS.get(code, "the expression failed")
    return Refused("mapping_failed", f"{meaning} (JSONata {code})" if code else meaning)
