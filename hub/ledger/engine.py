"""Opening the ledger: the engine, the migrations, and which ledger this is."""

from __future__ import annotations

from pathlib import Path

import alembic.command
import alembic.config
import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from hub.clock import Clock
from hub.ids import new_id
from hub.ledger.tables import identity


def driver_url(url: str) -> str:
    """Turn any ``postgres[ql]://`` URL into SQLAlchemy's asyncpg form."""
    _, _, rest = url.partition("://")
    return f"postgresql+asyncpg://{rest}"


def open_engine(url: str, *, pool_size: int = 10) -> AsyncEngine:
    """Make the engine; connections are tested before use, so a restarted server heals by itself."""
    return create_async_engine(
        driver_url(url),
        pool_size=pool_size,
        max_overflow=5,
        pool_pre_ping=True,
        pool_timeout=10,
        connect_args={"timeout": 10, "command_timeout": 60},
        json_serializer=lambda value: orjson.dumps(value).decode(),
        json_deserializer=orjson.loads,
    )


async def migrate(engine: AsyncEngine) -> None:
    """Bring the schema to the newest revision; one hub at a time, the others wait."""
    async with engine.begin() as connection:
        await connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('crossdock'))"))
        await connection.run_sync(_upgrade)


def _upgrade(connection: sa.Connection) -> None:
    config = alembic.config.Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.attributes["connection"] = connection
    alembic.command.upgrade(config, "head")


async def ledger_id(engine: AsyncEngine, clock: Clock) -> str:
    """Return the id of this ledger; made once, at the first start."""
    now = clock.now()
    async with engine.begin() as connection:
        known = await connection.scalar(sa.select(identity.c.id))
        if known is None:
            made = new_id(int(now.timestamp() * 1000))
            await connection.execute(sa.text("LOCK TABLE identity IN EXCLUSIVE MODE"))
            known = await connection.scalar(sa.select(identity.c.id))
            if known is None:
                await connection.execute(insert(identity).values(id=made, created_at=now))
                known = made
    return str(known)
