"""Whether the servers can be used now."""

from __future__ import annotations

import sqlalchemy as sa
from nats.aio.client import Client
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.api.health import Probe
from hub.seen import Seen


def probes(engine: AsyncEngine, nats: Client, seen: Seen) -> dict[str, Probe]:
    """Return the probes behind `/readyz`."""

    async def database() -> bool:
        async with engine.connect() as ledger:
            return bool(await ledger.scalar(sa.select(1)))

    async def stream() -> bool:
        return bool(nats.is_connected)

    return {"postgresql": database, "nats": stream, "redis": seen.ping}
