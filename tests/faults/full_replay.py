"""The whole INTAKE stream once more, as after a power cut that took the acknowledgement floor.

A consumer's acknowledgements are not on disk when they return (nats-server issue 8036 tells of a
floor that went back to 1). Here the durable is deleted: its successor begins at the first message.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from hub import topology
from hub.ledger.tables import delivery, document, hold, key_head, outbox, receipt
from hub.normalizer import NormalizeRole
from tests.bench.hub import Hub, hub
from tests.bench.world import stored, world
from tests.support.waiting import wait_for

_TABLES = (receipt, document, delivery, hold, key_head, outbox)
_DEADLINE_SECONDS = 3600.0


async def full_replay(messages: int, folder: Path) -> dict[str, Any]:
    """Decide so many receipts, then have all of them delivered again.

    Returns:
        The seconds of both, and rows and messages ``before`` and ``after``: equal, or something
        took effect again.

    """
    async with (
        world(folder / "servers") as servers,
        hub(servers, 1, folder / "archives") as opened,
    ):
        first = await opened.drain(messages)
        await _acknowledged(opened)
        before, began = await _effects(opened), time.monotonic()
        await opened.js.delete_consumer(topology.INTAKE, topology.NORMALIZE)
        again = await _again(opened)
        return {
            "messages": messages,
            "delivered_again": again,
            "first_seconds": round(first.seconds, 1),
            "again_seconds": round(time.monotonic() - began, 1),
            "before": before,
            "after": await _effects(opened),
        }


async def _again(opened: Hub) -> int:
    """Let a new role take whatever the new consumer gives it; how many messages that were."""
    await topology.declare_consumer(opened.js, topology.INTAKE, topology.normalize_consumer())
    info = await opened.js.consumer_info(topology.INTAKE, topology.NORMALIZE)
    stop = asyncio.Event()
    role = NormalizeRole(opened.client, opened.js, opened.store, opened.pipeline)
    running = asyncio.create_task(role.run(stop))
    await _acknowledged(opened)
    stop.set()
    await running
    return info.num_pending or 0


async def _acknowledged(opened: Hub) -> None:
    async def none_left() -> bool:
        info = await opened.js.consumer_info(topology.INTAKE, topology.NORMALIZE)
        return not info.num_pending and not info.num_ack_pending

    await wait_for(none_left, _DEADLINE_SECONDS, "all is acknowledged")


async def _effects(opened: Hub) -> dict[str, int]:
    """Rows of the ledger, and events."""
    found = {"events": await stored(opened.js, topology.CANONICAL)}
    async with opened.engine.connect() as ledger:
        for table in _TABLES:
            counted = await ledger.scalar(sa.select(sa.func.count()).select_from(table))
            found[table.name] = int(counted or 0)
    return found
