"""OData v4 as Business Central speaks it: $filter, $orderby, server-driven paging, errors.

Only what API v2.0 documents is understood; everything else is refused with 400, as the product
does. ``or`` works within one field only ("Using filter expressions in OData URIs").
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox.json_text import Row, dumps, loads
from sandbox.schema import Entity

Predicate = Callable[[Row], bool]


class ODataError(Exception):
    """A refusal in the product's own words.

    Args:
        status: HTTP status.
        code: the product's error code, such as ``BadRequest_NotFound``.
        message: its text.

    """

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(status, code, message)
        self.status = status
        self.code = code
        self.message = message

    def body(self, correlation_id: str) -> Row:
        """The JSON body of the refusal."""
        text = f"{self.message}  CorrelationId:  {correlation_id}."
        return {"error": {"code": self.code, "message": text}}


def bad_query(message: str) -> ODataError:
    """A query that does not parse or names what is not there."""
    return ODataError(400, "BadRequest_NotFound", f"Bad Request - Error in query syntax: {message}")


@dataclass(frozen=True)
class Filter:
    """A parsed $filter. `equals` are the terms that every match fulfils: an index can serve them."""

    matches: Predicate
    fields: frozenset[str]
    equals: Mapping[str, Any]


EVERYTHING = Filter(lambda _row: True, frozenset(), {})

_TOKENS = re.compile(r"\s*('(?:[^']|'')*'|[(),]|[^\s(),']+)")
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda a, b: bool(a == b),
    "ne": lambda a, b: bool(a != b),
    "gt": lambda a, b: bool(a > b),
    "ge": lambda a, b: bool(a >= b),
    "lt": lambda a, b: bool(a < b),
    "le": lambda a, b: bool(a <= b),
}
_FUNCTIONS: dict[str, Callable[[str, str], bool]] = {
    "contains": lambda text, part: part in text,
    "startswith": str.startswith,
    "endswith": str.endswith,
}


def parse_filter(text: str, entity: Entity) -> Filter:
    """Read a $filter over `entity`.

    Raises:
        ODataError: 400, it does not parse or names an unknown field.

    """
    if not text.strip():
        return EVERYTHING
    parser = _FilterParser(_tokens(text), entity)
    parsed = parser.any_of()
    parser.end()
    return parsed


def _tokens(text: str) -> list[str]:
    found, at = [], 0
    text = text.rstrip()
    while at < len(text):
        match = _TOKENS.match(text, at)
        if match is None:
            raise bad_query(f"unexpected character at position {at}")
        found.append(match[1])
        at = match.end()
    return found


class _FilterParser:
    """Recursive descent over the tokens of one $filter."""

    def __init__(self, tokens: list[str], entity: Entity) -> None:
        self._tokens = tokens
        self._entity = entity
        self._at = 0

    def any_of(self) -> Filter:
        terms = [self._all_of()]
        while self._accept("or"):
            terms.append(self._all_of())
        if len(terms) == 1:
            return terms[0]
        fields = frozenset[str]().union(*(term.fields for term in terms))
        if len(fields) > 1:
            raise ODataError(
                400, "BadRequest", "An OR operator is not supported on distinct fields."
            )
        checks = [term.matches for term in terms]
        return Filter(lambda row: any(check(row) for check in checks), fields, {})

    def _all_of(self) -> Filter:
        terms = [self._term()]
        while self._accept("and"):
            terms.append(self._term())
        if len(terms) == 1:
            return terms[0]
        checks = [term.matches for term in terms]
        equals = {name: value for term in terms for name, value in term.equals.items()}
        fields = frozenset[str]().union(*(term.fields for term in terms))
        return Filter(lambda row: all(check(row) for check in checks), fields, equals)

    def _term(self) -> Filter:
        if self._accept("("):
            inner = self.any_of()
            self._expect(")")
            return inner
        word = self._next()
        if word in _FUNCTIONS:
            return self._function(word)
        field = self._field(word)
        operator = self._next()
        if operator == "in":
            return self._in(field)
        if operator not in _COMPARE:
            raise bad_query(f"'{operator}' is not an operator")
        return self._comparison(field, operator)

    def _comparison(self, field: str, operator: str) -> Filter:
        value = self._literal(field)
        compare, read = _COMPARE[operator], self._entity.reader(field)
        equals = {field: value} if operator == "eq" else {}
        return Filter(lambda row: compare(read(row), value), frozenset({field}), equals)

    def _in(self, field: str) -> Filter:
        self._expect("(")
        values = [self._literal(field)]
        while self._accept(","):
            values.append(self._literal(field))
        self._expect(")")
        read = self._entity.reader(field)
        return Filter(lambda row: read(row) in values, frozenset({field}), {})

    def _function(self, name: str) -> Filter:
        self._expect("(")
        field = self._field(self._next())
        self._expect(",")
        part = self._literal(field)
        self._expect(")")
        if not isinstance(part, str):
            raise bad_query(f"'{name}' needs a string")
        test, read = _FUNCTIONS[name], self._entity.reader(field)
        return Filter(lambda row: test(str(read(row)), part), frozenset({field}), {})

    def _field(self, word: str) -> str:
        if word not in self._entity.fields:
            raise ODataError(
                400,
                "BadRequest",
                f"Could not find a property named '{word}' on type "
                f"'Microsoft.NAV.{self._entity.type_name}'.",
            )
        return word

    def _literal(self, field: str) -> Any:
        return literal(self._next(), self._entity.fields[field].kind)

    def _accept(self, token: str) -> bool:
        if self._at < len(self._tokens) and self._tokens[self._at] == token:
            self._at += 1
            return True
        return False

    def _expect(self, token: str) -> None:
        if not self._accept(token):
            raise bad_query(f"'{token}' expected")

    def _next(self) -> str:
        if self._at >= len(self._tokens):
            raise bad_query("the expression ends too early")
        self._at += 1
        return self._tokens[self._at - 1]

    def end(self) -> None:
        if self._at < len(self._tokens):
            raise bad_query(f"unexpected '{self._tokens[self._at]}'")


def literal(token: str, kind: str) -> Any:
    """Read an OData literal for a field of `kind`.

    Raises:
        ODataError: 400, the literal is of another type.

    """
    try:
        return _LITERALS[kind](token)
    except (ValueError, InvalidOperation, KeyError) as error:
        raise bad_query(f"a literal of type {kind} expected") from error


def _string(token: str) -> str:
    if len(token) < 2 or not (token.startswith("'") and token.endswith("'")):  # noqa: PLR2004
        raise ValueError("expected single quotation marks")
    return token[1:-1].replace("''", "'")


def _date(token: str) -> str:
    return datetime.strptime(token, "%Y-%m-%d").date().isoformat()  # noqa: DTZ007  a date has no zone


def _moment(token: str) -> datetime:
    moment = datetime.fromisoformat(token)
    if moment.tzinfo is None:
        raise ValueError("expected a time zone (Edm.DateTimeOffset)")
    return moment


_LITERALS: dict[str, Callable[[str], Any]] = {
    "text": _string,
    "guid": lambda token: token.strip("'").lower(),
    "date": _date,
    "datetime": _moment,
    "decimal": Decimal,
    "integer": int,
    "boolean": lambda token: {"true": True, "false": False}[token],
}


def skip_token(values: Iterable[Any]) -> str:
    """Write where a page ended, opaque to the client."""
    return base64.urlsafe_b64encode(dumps(list(values))).decode().rstrip("=")


def read_skip_token(token: str) -> list[Any]:
    """Read where a page ended.

    Raises:
        ODataError: 400, this server never gave out that token.

    """
    try:
        values = loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except (ValueError, binascii.Error) as error:
        raise bad_query("$skiptoken is not valid") from error
    if not isinstance(values, list):
        raise bad_query("$skiptoken is not valid")
    return values
