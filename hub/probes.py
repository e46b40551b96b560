"""Whether the servers can be used now."""

from __future__ import annotations

import sqlalchemy as sa
from nats.aio.client import Client
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.api.health import Probe
from hub.seen import Seen
from hub.watch import StreamWatch


def probes(engine: AsyncEngine, nats: Client, watch: StreamWatch, seen: Seen) -> dict[str, Probe]:
    """Return the probes behind `/readyz`."""

    async def database() -> bool:
        async with engine.connect() as ledger:
            return bool(await ledger.scalar(sa.select(1)))

    async def connected() -> bool:
        return bool(nats.is_connected)

    async def streams() -> bool:
        return bool(nats.is_connected) and watch.intact

    return {"postgresql": database, "nats": connected, "streams": streams, "redis": seen.ping}
