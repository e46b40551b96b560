"""Owing a delivery again because a person asks for it: the same document, the same numbers.

Codes: ``delivery_unknown``; ``delivery_busy`` (it, or an earlier wish, is still under way).
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from canonical.errors import Rejected
from hub.ids import derived_id
from hub.ledger import audit
from hub.ledger.tables import delivery

_AT_REST = ("delivered", "dead", "cancelled")
_KEPT = (
    "document_id", "target", "action", "flow", "business_key", "version", "reference", "trace_id",
)  # fmt: skip


async def again(
    ledger: AsyncConnection, delivery_id: str, act: tuple[str, str], now: datetime
) -> str:
    """Owe a delivery again; return the id of the new one.

    Args:
        ledger: in a transaction of its own.
        delivery_id: which, whole or its first characters.
        act: who asks, and why.
        now: the moment.

    Raises:
        Rejected: ``delivery_unknown``, ``delivery_busy``.
    """
    result = await ledger.execute(
        sa.select(delivery).where(delivery.c.id.startswith(delivery_id, autoescape=True)).limit(2)
    )
    rows = result.mappings().all()
    if len(rows) != 1:
        raise Rejected("delivery_unknown", delivery_id[:40], "expected the id of one delivery")
    first = rows[0]
    same = await ledger.execute(
        sa.select(delivery.c.state, delivery.c.occasion)
        .where(*(delivery.c[name] == first[name] for name in ("document_id", "target", "action")))
        .order_by(delivery.c.id)
        .with_for_update()
    )
    others = same.all()
    if any(row.state not in _AT_REST for row in others):
        raise Rejected("delivery_busy", delivery_id[:40], "it is still under way")
    occasion = f"resend-by-hand-{sum(row.occasion != '' for row in others) + 1}"
    kept = {name: first[name] for name in _KEPT}
    key = (first["document_id"], first["target"], first["action"], occasion)
    new = derived_id("delivery", *key)
    await ledger.execute(
        sa.insert(delivery).values(
            id=new, **kept, occasion=occasion, state="pending", next_at=now, created_at=now
        )
    )
    entry = audit.Entry(act[0], "delivery.resend", first["id"], act[1], None, {"delivery": new})
    await audit.append(ledger, entry, now)
    return new
