"""The receipts that have come before, as they came: for trying other mappings on them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from canonical.errors import Rejected
from connectors.base import Receipt
from hub.archive import Archive
from hub.ledger.tables import receipt

_PAGE = 400


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which receipts."""

    since: datetime
    connections: frozenset[str]
    """Of these connections alone: those whose system has a changed mapping."""
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Some of them, with whose they are."""

    receipts: list[Receipt]
    partners: list[str]
    unreadable: int
    """Receipts whose bytes the archive does not give back."""


async def count(engine: AsyncEngine, chosen: Chosen) -> int:
    """Return how many receipts are chosen."""
    query = sa.select(sa.func.count()).select_from(receipt).where(*_which(chosen))
    async with engine.connect() as ledger:
        found = int(await ledger.scalar(query) or 0)
    return found if chosen.most is None else min(found, chosen.most)


async def pages(engine: AsyncEngine, archive: Archive, chosen: Chosen) -> AsyncIterator[Page]:
    """Yield the receipts, the oldest first; repeats of the same bytes are left out."""
    after: tuple[datetime, str] | None = None
    left = chosen.most
    while left is None or left > 0:
        query = sa.select(receipt).where(*_which(chosen))
        if after is not None:
            query = query.where(sa.tuple_(receipt.c.received_at, receipt.c.id) > sa.tuple_(*after))
        size = _PAGE if left is None else min(_PAGE, left)
        query = query.order_by(receipt.c.received_at, receipt.c.id).limit(size)
        async with engine.connect() as ledger:
            rows = (await ledger.execute(query)).all()
        if not rows:
            return
        after = (rows[-1].received_at, rows[-1].id)
        left = None if left is None else left - len(rows)
        yield _page(archive, rows)


def _which(chosen: Chosen) -> list[sa.ColumnElement[bool]]:
    return [
        receipt.c.received_at >= chosen.since,
        receipt.c.duplicate_of.is_(None),
        receipt.c.connection.in_(sorted(chosen.connections)),
    ]


def _page(archive: Archive, rows: Any) -> Page:
    receipts, partners = [], []
    for row in rows:
        try:
            body = archive.read(row.archive, row.sha256)
        except Rejected:
            continue
        facts = (row.id, row.connection, row.delivery_id, row.received_at, body)
        receipts.append(Receipt(*facts, row.flow, row.content_type, row.facts))
        partners.append(row.partner)
    return Page(receipts, partners, len(rows) - len(receipts))
