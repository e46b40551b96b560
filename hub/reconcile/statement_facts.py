"""What targets' own lists say: read by the page, so that a list of any length holds up nobody."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import groupby
from operator import itemgetter
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.ledger.slices import MOST
from hub.ledger.tables import statement, statement_entry
from hub.reconcile.duplicate_effects import Effects
from hub.reconcile.ledger_vs_target import Effect, Statement

_ENTRY = statement_entry.c
_ROWS = (_ENTRY.external_id, _ENTRY.reference, _ENTRY.sha256, _ENTRY.amount, _ENTRY.currency)


async def statements(connection: AsyncConnection) -> list[Statement]:
    """Return which lists of targets there are."""
    return [
        Statement(row["target"], row["action"], row["since"], row["until"])
        for row in await _lists(connection)
    ]


async def entries(connection: AsyncConnection, said: Statement) -> list[Effect]:
    """Return what is on a list."""
    found = _pages(connection, _on(said.target, said.action), (_ENTRY.external_id,))
    return [Effect(**row) async for page in found for row in page]


async def listed_twice(connection: AsyncConnection) -> list[Effects]:
    """Return what lists have more than once under one reference of ours."""
    found: list[Effects] = []
    for each in await _lists(connection):
        wanted = _on(each["target"], each["action"]).where(_ENTRY.reference != "")
        rows: list[sa.RowMapping] = []
        async for page in _pages(connection, wanted, (_ENTRY.reference, _ENTRY.external_id)):
            *whole, last = _together([*rows, *page])
            found += [_twice(each, group) for group in whole if len(group) > 1]
            rows = last  # the next page may go on with it
        if len(rows) > 1:
            found.append(_twice(each, rows))
    return found


def _together(rows: list[sa.RowMapping]) -> list[list[sa.RowMapping]]:
    return [list(group) for _, group in groupby(rows, key=itemgetter("reference"))]


def _twice(said: sa.RowMapping, rows: list[sa.RowMapping]) -> Effects:
    priced = [row for row in rows if row["amount"] is not None]
    return Effects(
        said["target"],
        said["action"],
        rows[0]["reference"],
        tuple(row["external_id"] for row in rows),
        said["loaded_at"],
        listed=True,
        reference=rows[0]["reference"],
        amount=max((row["amount"] for row in priced), default=None),
        currency=priced[0]["currency"] if priced else None,
    )


async def _lists(connection: AsyncConnection) -> list[sa.RowMapping]:
    asked = sa.select(statement).order_by(statement.c.target, statement.c.action)
    return list((await connection.execute(asked)).mappings().all())


def _on(target: str, action: str) -> sa.Select[Any]:
    return sa.select(*_ROWS).where(_ENTRY.target == target, _ENTRY.action == action)


async def _pages(
    connection: AsyncConnection,
    wanted: sa.Select[Any],
    order: tuple[sa.Column[Any], ...],
) -> AsyncIterator[list[sa.RowMapping]]:
    """Yield rows in an order that tells each from every other, some thousand at a time."""
    page = wanted.order_by(*order).limit(MOST)
    rows = list((await connection.execute(page)).mappings().all())
    while rows:
        yield rows
        after = sa.tuple_(*(rows[-1][column] for column in order))
        more = page.where(sa.tuple_(*order) > after)
        rows = list((await connection.execute(more)).mappings().all())
