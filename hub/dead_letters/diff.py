"""What differs about a letter, with values: for who asks by name, as they are the document's own.

==========  ====================================  ==========================================
of          left                                  right
==========  ====================================  ==========================================
``edit``    the original document                 what a person made of it
``sent``    what was last sent                    what would be sent now
``target``  what would be sent now                what the target has
==========  ====================================  ==========================================

Codes: ``nothing_to_compare``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa

from canonical.errors import Rejected
from hub.dead_letters import ask
from hub.dead_letters.plan import Planner, Prepared
from hub.delivery.outbound import outbound
from hub.differences import Difference, between
from hub.ledger.tables import delivery, letter_edit

Row = dict[str, Any]


async def diff(plans: Planner, letter: Mapping[str, Any]) -> list[Row]:
    """Return every difference of a letter: ``of``, ``where``, ``left``, ``right``.

    Args:
        plans: renders and asks; nothing that it does has an effect.
        letter: a row of `letters.listing`.

    Raises:
        Rejected: ``nothing_to_compare``, ``archive_damaged``, ``document_missing``, or why today's
            mapping refuses the document.
    """
    pairs = await _edits(plans, letter)
    compared = bool(pairs)
    if letter["delivery_id"] is not None:
        ready = await plans.prepare(letter)
        if ready.found.mapping != "would_pass":
            raise Rejected(ready.found.code, ready.found.where, ready.found.detail)
        before = await _sent(plans, ready)
        there = await _there(ready)
        compared = compared or before is not None or there is not None
        pairs += [("sent", each) for each in before or ()]
        pairs += [("target", each) for each in there or ()]
    if not compared:
        raise Rejected("nothing_to_compare", letter["id"], "nothing was sent, edited or found")
    return [{"of": of, **asdict(each)} for of, each in pairs]


async def _edits(plans: Planner, letter: Mapping[str, Any]) -> list[tuple[str, Difference]]:
    query = sa.select(letter_edit).where(letter_edit.c.letter_id == letter["id"])
    async with plans.engine.connect() as ledger:
        newest = query.order_by(letter_edit.c.made_at.desc()).limit(1)
        row = (await ledger.execute(newest)).mappings().first()
    if row is None:
        return []
    read = plans.archive.read
    original = await asyncio.to_thread(read, row["original_archive"], row["original_sha256"])
    edited = await asyncio.to_thread(read, row["edited_archive"], row["edited_sha256"])
    return [("edit", each) for each in between(original, edited)]


async def _sent(plans: Planner, ready: Prepared) -> list[Difference] | None:
    async with plans.engine.connect() as ledger:
        kept = sa.select(delivery.c.archive, delivery.c.sent_sha256)
        row = (await ledger.execute(kept.where(delivery.c.id == ready.row.id))).one()
    if row.archive is None:
        return None
    before = await asyncio.to_thread(plans.archive.read, row.archive, row.sent_sha256)
    return between(before, ready.rendered.encoded)


async def _there(ready: Prepared) -> list[Difference] | None:
    if ready.target is None:
        return None
    found = await ask.compare(ready.target, outbound(ready.row, ready.target, ready.rendered))
    return None if found is None else list(found)
