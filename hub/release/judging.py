"""Judging held orders again, once the ERP has been read.

An order that comes before the ERP's customers, items or stock were read even once is held as
``reference_not_read``: nothing is known of it. Nobody need release it by hand: as soon as the data is
there, it passes the control points again. What is right goes on; what is wrong keeps its hold, with
the reasons found now. A first poll takes its time, page by page: within it, that something is
missing still says nothing, and the hold stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from canonical.errors import Rejected
from hub.clock import Clock
from hub.ledger import audit, reference
from hub.ledger import holds as kept
from hub.ledger.tables import document, hold
from hub.release import holds
from hub.release.asked import ENTITIES, Asked, asked_in, needed_by
from hub.release.control_points import NOT_READ, Reason, check
from hub.settings.model import Site

Reasons = Sequence[Mapping[str, str]]

Place = tuple[datetime, str]
"""When a hold was opened, and its id."""

FIRST: Place = (datetime.min.replace(tzinfo=UTC), "")
_BATCH = 200
_WHY = "the ERP has been read since"
_ACTOR = "crossdock"
_IDENTITY = "identity"
"""The control point of reasons that reference data does not change: twin, conflict ..."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One held order, and what is wrong with it now."""

    hold_id: str
    document_id: str
    before: Reasons
    after: Reasons


class JudgeAgain:
    """Judges what is held as ``reference_not_read``; safe beside people who release and reject."""

    def __init__(self, engine: AsyncEngine, site: Site, clock: Clock) -> None:
        self._engine = engine
        self._site = site
        self._clock = clock

    async def run(self) -> int:
        """Judge all of them once; return how many went on.

        Raises:
            SQLAlchemyError, OSError: the ledger cannot be used; the next run goes on.
        """
        released, last = 0, FIRST
        while True:
            async with self._engine.connect() as ledger:
                rows = await waiting(ledger, last)
                found = await self._judge(ledger, rows) if rows else []
            for one in found:
                released += await self._act(one)
            if len(rows) < _BATCH:
                return released
            last = (rows[-1]["opened_at"], rows[-1]["id"])

    async def _judge(
        self, ledger: AsyncConnection, rows: Sequence[Mapping[Any, Any]]
    ) -> list[Judged]:
        """Return those of which something can be said now."""
        source = self._site.control_points.reference
        early = await reference.arriving(ledger, source, self._clock.now())
        asked = {row["id"]: _asked(row) for row in rows if row["entity"] in ENTITIES}
        view = await reference.view(ledger, source, needed_by(asked.values()))
        found = []
        for row in rows:
            if row["id"] in asked:
                now = check(asked[row["id"]], view, self._site.control_points)
                one = _judged(row, now)
                if not any(each.code == NOT_READ for each in now) and not (one.after and early):
                    found.append(one)
        return found

    async def _act(self, one: Judged) -> int:
        """Let an order go, or say what is wrong with it; return 1 where it went."""
        act = holds.Act(_ACTOR, _WHY, self._clock.now())
        try:
            async with self._engine.begin() as ledger:
                if not one.after:
                    await holds.release(ledger, one.hold_id, act, self._site)
                    return 1
                await _write(ledger, one, act)
        except Rejected:  # a person was faster, or an earlier version is held: theirs to decide
            pass
        return 0


async def waiting(ledger: AsyncConnection, last: Place) -> Sequence[Mapping[Any, Any]]:
    """Return the next holds that say so, the oldest first: as the index of open holds has them."""
    said = hold.c.reasons.contains([{"code": NOT_READ}])
    result = await ledger.execute(
        sa.select(
            *(hold.c.id, hold.c.opened_at, hold.c.document_id, hold.c.reasons),
            *(document.c.entity, document.c.canonical),
        )
        .join(document, document.c.id == hold.c.document_id)
        .where(
            hold.c.state == "open",
            hold.c.opened_at >= last[0],
            sa.tuple_(hold.c.opened_at, hold.c.id) > sa.tuple_(*last),
            said,
        )
        .order_by(hold.c.opened_at, hold.c.id)
        .limit(_BATCH)
    )
    return result.mappings().all()


def _asked(row: Mapping[Any, Any]) -> Asked:
    return asked_in(row["entity"], orjson.dumps(row["canonical"]))


def _judged(row: Mapping[Any, Any], now: Sequence[Reason]) -> Judged:
    stays = [each for each in row["reasons"] if each["control_point"] == _IDENTITY]
    after = [*stays, *(asdict(each) for each in now)]
    return Judged(row["id"], row["document_id"], row["reasons"], after)


async def _write(ledger: AsyncConnection, one: Judged, act: holds.Act) -> None:
    """Put the reasons found now in the place of those that said nothing."""
    await kept.lock_open(ledger, one.hold_id)
    first = one.after[0]
    await ledger.execute(
        sa.update(hold).where(hold.c.id == one.hold_id).values(reasons=list(one.after))
    )
    told = {"code": first["code"], "place": first["where"], "detail": first["detail"]}
    await ledger.execute(sa.update(document).where(document.c.id == one.document_id).values(**told))
    before, after = {"reasons": list(one.before)}, {"reasons": list(one.after)}
    entry = audit.Entry(act.actor, "hold.judge", one.document_id, act.reason, before, after)
    await audit.append(ledger, entry, act.at)
