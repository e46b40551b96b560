"""The second opinion: jsonata-python, which has positions and must agree on every worked case.

Never in the flow of documents: its regular expressions can run for ever.
"""

from __future__ import annotations

from collections.abc import Callable

from jsonata.jexception import JException
from jsonata.jsonata import Jsonata
from jsonata.utils import Utils

from canonical.errors import ConfigError, Rejected
from connectors.base import Json
from hub.mapping.engine import Limits
from hub.mapping.functions import FUNCTIONS, OVERRIDES, call
from hub.mapping.places import as_rejected
from hub.mapping.positions import line_and_column
from hub.mapping.refused import Refused
from hub.mapping.values import check_source, clean_result

_STACK_FACTOR = 10
"""It counts a level for every node of the expression, where jsonatapy counts function calls."""
_TIMEOUT = "D1012"


class ReferenceMapping:
    """One mapping on jsonata-python; arguments and errors as `JsonatapyMapping`.

    The `where` of a refusal has the probable position in the mapping: ``file:line:column``.
    """

    def __init__(self, text: str, name: str, limits: Limits) -> None:
        self._text = text
        self._name = name
        self._limits = limits
        try:
            self._expression = Jsonata(
                text, timeout=limits.milliseconds * 20, stack=limits.stack * _STACK_FACTOR
            )
        except JException as error:
            place = f"{name}:{line_and_column(text, error.location)}"
            raise ConfigError("mapping_syntax", place, f"JSONata {error.error}") from None
        for function in (*FUNCTIONS, *OVERRIDES):
            self._expression.register_lambda(function, _host(function))

    def apply(self, source: Json, bindings: Json) -> Json:
        """See `hub.mapping.engine.Mapping`."""
        try:
            check_source(source, self._limits.depth)
            result = clean_result(self._expression.evaluate(source, bindings), self._limits.depth)
        except Refused as refused:
            raise as_rejected(refused, self._name, source) from None
        except JException as error:
            code = "mapping_timeout" if error.error == _TIMEOUT else "mapping_failed"
            raise Rejected(code, self._position(error), f"JSONata {error.error}") from None
        except (RecursionError, ArithmeticError, ValueError, LookupError, TypeError) as error:
            # It leaks raw Python errors where JavaScript has a coded one.
            raise Rejected("mapping_failed", self._name, type(error).__name__) from None
        if not isinstance(result, dict):
            raise Rejected("mapping_undefined", self._name, "expected one object")
        return result

    def _position(self, error: JException) -> str:
        if error.location < 0:
            return self._name
        return f"{self._name}:{line_and_column(self._text, error.location)}"


def _host(name: str) -> Callable[..., object]:
    def host(*arguments: object) -> object:
        given = tuple(None if value is Utils.NULL_VALUE else value for value in arguments)
        result = call(name, given)
        # jsonatapy has null here, not nothing: $exists($dec(missing)) must be the same on both.
        return Utils.NULL_VALUE if result is None else result

    return host
