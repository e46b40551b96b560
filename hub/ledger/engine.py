"""Opening the ledger: the engine, the migrations, and which ledger this is."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import orjson
import sqlalchemy as sa
import structlog
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from hub.clock import Clock
from hub.ids import new_id
from hub.ledger.faults import is_passing
from hub.ledger.tables import identity

_PAUSE_SECONDS = 1.0
_COMMAND_SECONDS = 60.0
LONG_SECONDS = 7200.0
"""For engines of long jobs: above every `statement_timeout`, which the server keeps itself."""
_FRESH_SECONDS = 1.0
"""A connection that rested for less is not tested; the driver hears of most deaths anyway."""
_RESTS = "crossdock_rests"
_MIGRATIONS = Path(__file__).with_name("migrations")


def driver_url(url: str) -> str:
    """Turn any ``postgres[ql]://`` URL into SQLAlchemy's asyncpg form."""
    _, _, rest = url.partition("://")
    return f"postgresql+asyncpg://{rest}"


def open_engine(
    url: str, *, pool_size: int = 10, command_seconds: float = _COMMAND_SECONDS
) -> AsyncEngine:
    """Make the engine.

    Connections that have rested are tested before use, and those known to be closed are not used:
    a restarted server heals by itself. Testing all would cost each transaction three round trips.

    Args:
        url: of the ledger.
        pool_size: connections that are kept; five more may be opened.
        command_seconds: after so long the driver ends a statement by itself, whatever
            `statement_timeout` its transaction has set.
    """
    engine = create_async_engine(
        driver_url(url),
        pool_size=pool_size,
        max_overflow=5,
        pool_timeout=10,
        connect_args={"timeout": 10, "command_timeout": command_seconds},
        hide_parameters=True,  # an error's text would quote documents
        json_serializer=lambda value: orjson.dumps(value).decode(),
        json_deserializer=orjson.loads,
    )
    sa.event.listen(engine.sync_engine, "checkin", _rests)
    sa.event.listen(engine.sync_engine, "checkout", _test)
    return engine


def _rests(_connection: Any, record: ConnectionPoolEntry) -> None:
    """Note since when a connection is not in use."""
    record.info[_RESTS] = time.monotonic()


def _test(connection: Any, record: ConnectionPoolEntry, _in_use: Any) -> None:
    """Test a connection that is about to be used, unless it was in use just now.

    Raises:
        InvalidatePoolError: it is dead, and so are those like it; the pool makes a new one.
    """
    now = time.monotonic()
    rested = now - record.info.get(_RESTS, now)  # what is new has not rested
    if connection.driver_connection.is_closed():
        raise InvalidatePoolError("the server has closed it")
    if rested > _FRESH_SECONDS:
        try:
            connection.ping()
        except Exception as error:
            raise InvalidatePoolError(type(error).__name__) from error


async def ready(engine: AsyncEngine, clock: Clock) -> str:
    """Wait for the database, bring the schema up to date, and return the ledger's id."""
    log = structlog.get_logger("hub.ledger")
    while True:
        try:
            await migrate(engine)
            return await ledger_id(engine, clock)
        except Exception as error:
            if not is_passing(error):
                raise
            log.warning("database_waits", error=type(error).__name__)
            await asyncio.sleep(_PAUSE_SECONDS)


async def migrate(engine: AsyncEngine) -> None:
    """Bring the schema to the newest revision; one hub at a time, the others wait."""
    async with engine.begin() as connection:
        await connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('crossdock'))"))
        await connection.run_sync(_upgrade)


def _upgrade(connection: sa.Connection) -> None:
    if _revision(connection) == _newest():
        return
    import alembic.command
    import alembic.config

    config = alembic.config.Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    alembic.command.upgrade(config, "head")


def _revision(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    found = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
    return None if found is None else str(found)


def _newest() -> str:
    """Return the newest revision; the files are named by it (`0001_first.py`)."""
    return max(path.stem.partition("_")[0] for path in (_MIGRATIONS / "versions").glob("0*.py"))


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
