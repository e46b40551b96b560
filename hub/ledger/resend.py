"""Owing an interchange again that went out before: the archived bytes, and so the same numbers.

What mapping, profile or codec would write now does not matter: the partner lost what it was sent.

Codes: ``delivery_unknown``; ``delivery_busy`` (it, or an earlier wish, is still under way);
``delivery_never_sent`` (there are no bytes of it); ``delivery_unnumbered`` (its target counts no
interchanges: what it knows already is not told again, but driven anew).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from canonical.errors import Rejected
from hub.ids import derived_id
from hub.ledger import audit
from hub.ledger.tables import delivery

_AT_REST = ("delivered", "dead", "cancelled")
_KEPT = (
    "document_id", "target", "action", "flow", "business_key", "version", "reference", "trace_id",
    "archive", "sent_sha256",
)  # fmt: skip

_OCCASION = "resend-"
"""What the occasion of every delivery begins with that sends archived bytes again."""


class Kept(NamedTuple):
    """Where the archive keeps what was sent, and its hash."""

    place: str
    sha256: str


class Again(NamedTuple):
    """A delivery that is owed again, and the bytes that will be sent."""

    delivery: str
    kept: Kept


def occasion(number: int | str) -> str:
    """Return the occasion of a resend."""
    return f"{_OCCASION}{number}"


def is_resend(name: str) -> bool:
    """Whether an occasion is one of a resend."""
    return name.startswith(_OCCASION)


def kept_of(row: Mapping[Any, Any]) -> dict[str, Any]:
    """Return what a delivery that sends the bytes of another one again takes over from it."""
    return {name: row[name] for name in ("archive", "sent_sha256")}


async def kept(ledger: AsyncConnection, delivery_id: str) -> Kept | None:
    """Return which bytes a delivery sends again; None: it is written anew."""
    result = await ledger.execute(
        sa.select(delivery.c.archive, delivery.c.sent_sha256).where(delivery.c.id == delivery_id)
    )
    row = result.one()
    return None if row.archive is None else Kept(row.archive, row.sent_sha256)


async def again(
    ledger: AsyncConnection,
    delivery_id: str,
    act: tuple[str, str],
    now: datetime,
    numbered: Collection[str],
) -> Again:
    """Owe a delivery again; return the new one.

    Args:
        ledger: in a transaction of its own.
        delivery_id: which, whole or its first characters.
        act: who asks, and why.
        now: the moment.
        numbered: connections that count interchanges.

    Raises:
        Rejected: see the module's codes.
    """
    first = await _first(ledger, delivery_id, numbered)
    number = await _turn(ledger, first, delivery_id)
    key = (first["document_id"], first["target"], first["action"])
    name = occasion(f"by-hand-{number}")
    new = derived_id("delivery", *key, name)
    values = {each: first[each] for each in _KEPT}
    await ledger.execute(
        sa.insert(delivery).values(
            id=new, **values, occasion=name, state="pending", next_at=now, created_at=now
        )
    )
    after = {"delivery": new, "sha256": first["sent_sha256"]}
    entry = audit.Entry(act[0], "delivery.resend", first["id"], act[1], None, after)
    await audit.append(ledger, entry, now)
    return Again(new, Kept(first["archive"], first["sent_sha256"]))


async def _first(
    ledger: AsyncConnection, delivery_id: str, numbered: Collection[str]
) -> sa.RowMapping:
    result = await ledger.execute(
        sa.select(delivery).where(delivery.c.id.startswith(delivery_id, autoescape=True)).limit(2)
    )
    rows = result.mappings().all()
    if len(rows) != 1:
        raise Rejected("delivery_unknown", delivery_id[:40], "expected the id of one delivery")
    if rows[0]["target"] not in numbered:
        raise Rejected("delivery_unnumbered", delivery_id[:40], "its target counts no interchanges")
    if rows[0]["archive"] is None:
        raise Rejected("delivery_never_sent", delivery_id[:40], "no bytes of it are archived")
    return rows[0]


async def _turn(ledger: AsyncConnection, first: sa.RowMapping, asked: str) -> int:
    """Return the how-manieth occasion this is, once nothing of it is under way."""
    same = await ledger.execute(
        sa.select(delivery.c.state, delivery.c.occasion)
        .where(*(delivery.c[name] == first[name] for name in ("document_id", "target", "action")))
        .order_by(delivery.c.id)
        .with_for_update()
    )
    others = same.all()
    if any(row.state not in _AT_REST for row in others):
        raise Rejected("delivery_busy", asked[:40], "it is still under way")
    return len([row for row in others if row.occasion]) + 1
