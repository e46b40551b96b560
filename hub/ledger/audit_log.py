"""Who did what: the audit trail as a list, the newest first, without what things held."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.ledger.plans import by_index
from hub.ledger.tables import audit


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which rows."""

    since: datetime
    limit: int
    actor: str | None = None
    action: str | None = None
    """A whole action, or the first of its words: ``hold`` is ``hold.release`` and ``hold.reject``."""
    subject: str | None = None
    """An id, or its first characters; of what was done with a hold, also the hold's."""


_HOLD = audit.c.before["hold"].astext


async def log(connection: AsyncConnection, chosen: Chosen) -> list[dict[str, Any]]:
    """Return rows: ``at``, ``seq``, ``actor``, ``action``, ``subject``, ``hold``, ``reason``.

    What things were before and after stays out: it may quote documents.
    """
    await by_index(connection)
    return [dict(row) for row in (await connection.execute(query(chosen))).mappings()]


def query(chosen: Chosen) -> sa.Select[Any]:
    """What asks for these rows: only those of its days are read, from their index."""
    shown = (
        audit.c.at, audit.c.seq, audit.c.actor, audit.c.action, audit.c.subject,
        _HOLD.label("hold"), audit.c.reason,
    )  # fmt: skip
    asked = sa.select(*shown).where(audit.c.at >= chosen.since)
    if chosen.actor is not None:
        asked = asked.where(audit.c.actor == chosen.actor)
    if chosen.action is not None:
        whole, first = audit.c.action == chosen.action, f"{chosen.action}."
        asked = asked.where(whole | audit.c.action.startswith(first, autoescape=True))
    if chosen.subject is not None:
        named = (
            each.startswith(chosen.subject, autoescape=True) for each in (audit.c.subject, _HOLD)
        )
        asked = asked.where(sa.or_(*named))
    return asked.order_by(audit.c.at.desc(), audit.c.seq.desc()).limit(chosen.limit)
