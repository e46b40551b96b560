"""The second opinion: jsonata-python, which has positions and must agree on every worked case.

Never in the flow of documents: its regular expressions can run for ever.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from typing import Any

import orjson
from jsonata.jexception import JException
from jsonata.jsonata import Jsonata
from jsonata.utils import Utils

from canonical.errors import ConfigError, Rejected
from connectors.base import Json
from hub.mapping.engine import Limits
from hub.mapping.functions import FUNCTIONS, OVERRIDES, HostFunction
from hub.mapping.places import as_rejected
from hub.mapping.positions import line_and_column
from hub.mapping.refused import Refused
from hub.mapping.values import check_source, clean_result

_SLOWNESS = 20
"""It is up to 75 times slower than jsonatapy; a case that it cannot finish in this is no case."""
_NODES_PER_CALL = 8
"""It counts a level for every node of the expression, jsonatapy for every function call."""
_STACK, _TIMEOUT = "D1011", "D1012"


class ReferenceMapping:
    """One mapping on jsonata-python; arguments and errors as `JsonatapyMapping`.

    Where the place in the source cannot be known, the `where` of a refusal has the probable
    position in the mapping: ``file:line:column``.
    """

    def __init__(self, text: str, name: str, limits: Limits) -> None:
        self._text = text
        self._name = name
        self._limits = limits
        try:
            self._expression = Jsonata(text)
        except JException as error:
            place = f"{name}:{line_and_column(text, error.location)}"
            raise ConfigError("mapping_syntax", place, f"JSONata {error.error}") from None
        for word, function in {**FUNCTIONS, **OVERRIDES}.items():
            self._expression.register_lambda(word, _host(function))

    def apply(self, source: Json, bindings: Json, *, textual: bool = False) -> Json:
        """See `hub.mapping.engine.Mapping`."""
        watch = _Watch(self._limits)
        try:
            if not textual:
                check_source(source, self._limits.depth)
            made = self._expression.evaluate(source, bindings | watch.callbacks())
            if not isinstance(made, dict):
                raise Rejected("mapping_undefined", self._name, "expected one object")
            result = copy.deepcopy(made)  # it has parts of the source itself
            clean_result(result, self._limits.depth)
        except Refused as refused:
            error = as_rejected(refused, self._name, source)
            if error.where == self._name:
                error = Rejected(error.code, self._position(watch.position), error.detail)
            raise error from None
        except JException as error:
            code = "mapping_timeout" if error.error == _TIMEOUT else "mapping_failed"
            place = self._position(error.location if error.location > 0 else watch.position)
            raise Rejected(code, place, f"JSONata {error.error}") from None
        except (RecursionError, ArithmeticError, ValueError, LookupError, TypeError) as error:
            # It leaks raw Python errors where JavaScript has a coded one.
            place = self._position(watch.position)
            raise Rejected("mapping_failed", place, type(error).__name__) from None
        return result

    def written(self, source: Json, bindings: Json, *, textual: bool = False) -> bytes:
        """See `hub.mapping.engine.Mapping`."""
        return orjson.dumps(self.apply(source, bindings, textual=textual))

    def _position(self, offset: int) -> str:
        return f"{self._name}:{line_and_column(self._text, offset)}" if offset else self._name


class _Watch:
    """What is being evaluated, how deep and how long; one for each evaluation.

    The engine's own time box starts its clock when the expression is compiled, and so stops
    mappings that did nothing wrong.
    """

    def __init__(self, limits: Limits) -> None:
        self._nodes: list[Any] = []
        self._most = limits.stack * _NODES_PER_CALL
        self._end = time.monotonic() + limits.milliseconds * _SLOWNESS / 1000

    @property
    def position(self) -> int:
        """The offset of the innermost node that was begun and did not end; 0: there is none."""
        return next((node.position for node in reversed(self._nodes) if node.position), 0)

    def callbacks(self) -> Json:
        """Bindings under which the engine finds the two functions below."""
        return {"__evaluate_entry": self._enter, "__evaluate_exit": self._leave}

    def _enter(self, node: Any, _input: Any, _frame: Any) -> None:
        self._nodes.append(node)
        if len(self._nodes) > self._most:
            raise JException(_STACK, -1)
        if time.monotonic() > self._end:
            raise JException(_TIMEOUT, -1)

    def _leave(self, _node: Any, _input: Any, _frame: Any, _result: Any) -> None:
        self._nodes.pop()


def _host(function: HostFunction) -> Callable[..., object]:
    def host(*arguments: object) -> object:
        given = tuple(None if value is Utils.NULL_VALUE else value for value in arguments)
        result = function.checked(given)
        # jsonatapy has null here, not nothing: $exists($dec(missing)) must be the same on both.
        return Utils.NULL_VALUE if result is None else result

    return host
