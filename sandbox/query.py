"""One OData query over a collection: filter, order, page, expand, select."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cmp_to_key
from typing import Any
from urllib.parse import quote

from sandbox.company import Collection
from sandbox.json_text import Row
from sandbox.odata import (
    EVERYTHING,
    Filter,
    ODataError,
    bad_query,
    parse_filter,
    read_skip_token,
    skip_token,
)
from sandbox.schema import Entity

KNOWN = {"$filter", "$top", "$skip", "$orderby", "$expand", "$select", "$count", "$skiptoken"}
MAX_TOP = 20_000
"""Largest page of the product; a larger $top is refused with 413 (operational limits)."""

Order = tuple[tuple[str, bool], ...]


@dataclass(frozen=True)
class Query:
    """A parsed query string."""

    where: Filter = EVERYTHING
    order: Order = ()
    """Field and whether it falls; ends with the entity's key and the id, so that it is total."""
    top: int | None = None
    skip: int = 0
    expand: Mapping[str, frozenset[str]] | None = None
    """Navigation -> the fields wanted of it; empty: all."""
    select: frozenset[str] = frozenset()
    count: bool = False
    after: tuple[Any, ...] | None = None
    """The sort values of the last row of the page before."""


@dataclass(frozen=True)
class PageOfRows:
    """One page: rows as stored, how to go on, and how many there are in all if asked."""

    rows: list[Row]
    token: str | None
    left: int | None
    """What is left of $top for the pages to come."""
    total: int | None


def parse(parameters: Mapping[str, str], entity: Entity, children: frozenset[str]) -> Query:
    """Read a query string for `entity`; `children` are the navigations it offers.

    Raises:
        ODataError: 400 or 413, with the product's code.

    """
    unknown = [name for name in parameters if name.startswith("$") and name not in KNOWN]
    if unknown:
        raise bad_query(f"the query parameter '{unknown[0]}' is not supported")
    order = _order(parameters.get("$orderby", ""), entity)
    after = parameters.get("$skiptoken")
    return Query(
        where=parse_filter(parameters.get("$filter", ""), entity),
        order=order,
        top=_top(parameters.get("$top")),
        skip=_whole_number(parameters.get("$skip", "0")),
        expand=_expand(parameters.get("$expand", ""), children),
        select=_names(parameters.get("$select", ""), entity),
        count=parameters.get("$count", "false") == "true",
        after=_after(after, order) if after else None,
    )


def run(query: Query, rows: Collection, page_size: int) -> PageOfRows:
    """Answer a query from a collection."""
    entity = rows.entity
    found = [row for row in rows.candidates(query.where.equals) if query.where.matches(row)]
    total = len(found) if query.count else None
    _sort(found, entity, query.order)
    if query.after is not None:
        found = [row for row in found if _is_after(entity, query.order, row, query.after)]
    else:
        found = found[query.skip :]
    if query.top is not None:
        found = found[: query.top]
    page, rest = found[:page_size], found[page_size:]
    if not rest:
        return PageOfRows(page, None, None, total)
    token = skip_token(_sort_values(entity, query.order, page[-1]))
    left = None if query.top is None else query.top - len(page)
    return PageOfRows(page, token, left, total)


def next_link(url: str, parameters: Mapping[str, str], page: PageOfRows) -> str:
    """The absolute address of the next page."""
    keep = {name: value for name, value in parameters.items() if name not in {"$skiptoken", "$top"}}
    keep.pop("$skip", None)
    if page.left is not None:
        keep["$top"] = str(page.left)
    keep["$skiptoken"] = page.token or ""
    text = "&".join(f"{name}={quote(value, safe='')}" for name, value in keep.items())
    return f"{url}?{text}"


def _order(text: str, entity: Entity) -> Order:
    terms: list[tuple[str, bool]] = []
    for term in filter(None, (part.strip() for part in text.split(","))):
        name, _, direction = term.partition(" ")
        direction = direction.strip() or "asc"
        if direction not in {"asc", "desc"}:
            raise bad_query("'asc' or 'desc' expected in $orderby")
        _known(name, entity)
        terms.append((name, direction == "desc"))
    return (*terms, (entity.key, False), ("id", False))


def _known(name: str, entity: Entity) -> str:
    if name not in entity.fields:
        raise ODataError(
            400,
            "BadRequest",
            f"Could not find a property named '{name}' on type 'Microsoft.NAV.{entity.type_name}'.",
        )
    return name


def _names(text: str, entity: Entity) -> frozenset[str]:
    return frozenset(_known(name.strip(), entity) for name in text.split(",") if name.strip())


def _expand(text: str, children: frozenset[str]) -> dict[str, frozenset[str]]:
    wanted: dict[str, frozenset[str]] = {}
    for term in _split_outside_parentheses(text):
        name, _, options = term.partition("(")
        if name not in children:
            raise ODataError(
                400, "BadRequest", f"Could not find a property named '{name}' to expand."
            )
        key, _, value = options.removesuffix(")").partition("=")
        if options and key != "$select":
            raise bad_query("only $select is supported inside $expand")
        wanted[name] = frozenset(part.strip() for part in value.split(",") if part.strip())
    return wanted


def _split_outside_parentheses(text: str) -> list[str]:
    parts, depth, start = [], 0, 0
    for at, character in enumerate(text):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "," and depth == 0:
            parts.append(text[start:at])
            start = at + 1
    parts.append(text[start:])
    return [part.strip() for part in parts if part.strip()]


def _top(text: str | None) -> int | None:
    if text is None:
        return None
    top = _whole_number(text)
    if top > MAX_TOP:
        raise ODataError(
            413, "BadRequest", "The page size is larger than the maximum of 20000 entities."
        )
    return top


def _whole_number(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise bad_query("a non-negative integer expected")
    return int(text)


def _after(token: str, order: Order) -> tuple[Any, ...]:
    values = tuple(read_skip_token(token))
    if len(values) != len(order):
        raise bad_query("$skiptoken is of another query")
    return values


def _sort_values(entity: Entity, order: Order, row: Row) -> tuple[Any, ...]:
    return tuple(entity.value(row, name) for name, _ in order)


def _compare_values(order: Order, left: tuple[Any, ...], right: tuple[Any, ...]) -> int:
    for (_, falls), one, other in zip(order, left, right, strict=True):
        if one != other:
            return (1 if one > other else -1) * (-1 if falls else 1)
    return 0


def _sort(rows: list[Row], entity: Entity, order: Order) -> None:
    if not any(falls for _, falls in order):
        rows.sort(key=lambda row: _sort_values(entity, order, row))
        return

    def compare(left: Row, right: Row) -> int:
        values = _sort_values(entity, order, left), _sort_values(entity, order, right)
        return _compare_values(order, *values)

    rows.sort(key=cmp_to_key(compare))


def _is_after(entity: Entity, order: Order, row: Row, last: tuple[Any, ...]) -> bool:
    try:
        return _compare_values(order, _sort_values(entity, order, row), last) > 0
    except TypeError as error:
        raise bad_query("$skiptoken is of another query") from error
