"""Turns among replicas: one works at a time, and waiting costs no connection of the pool.

A turn is an advisory lock of PostgreSQL. All turns of a process are held by one connection outside
of the pool: held by a pooled one each, as many silent mailboxes as the pool has connections stopped
the hub, since what is done in a turn needs the ledger, too.

A connection that is lost takes all turns with it: another replica may have them at once, so whoever
has one here is stopped (``turn_lost``). A connection that only seems to be there is found out by
asking every few seconds, on our side, and by the server's keepalives on its side.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from canonical.errors import Retryable

_LOOK_SECONDS = 3.0
_ANSWER_SECONDS = 5.0
_KEEPALIVES = {
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}
"""A host that vanished without a word gives its turns back after 25 s, and not after two hours."""


@dataclass(slots=True)
class _Holder:
    """Who has a turn."""

    task: asyncio.Task[object]
    connection: AsyncConnection
    lost: bool = False


class Turns:
    """The turns that one process has of one ledger."""

    def __init__(self, engine: AsyncEngine) -> None:
        """Take the ledger; nothing is connected before the first turn."""
        self._engine = create_async_engine(
            engine.url,
            poolclass=NullPool,
            isolation_level="AUTOCOMMIT",
            connect_args={
                "timeout": 10,
                "command_timeout": _ANSWER_SECONDS,
                "server_settings": _KEEPALIVES,
            },
            hide_parameters=True,
        )
        self._connection: AsyncConnection | None = None
        self._watching: asyncio.Task[None] | None = None
        self._held: dict[str, _Holder] = {}
        self._one = asyncio.Lock()
        """One statement at a time on the connection."""
        self._log = structlog.get_logger("hub.turns")

    @asynccontextmanager
    async def take(self, name: str) -> AsyncIterator[bool]:
        """Try to have a turn for as long as the block runs; False: somebody else has it.

        Raises:
            Retryable: ``turn_lost``: the block was stopped, as another replica may be at it.
            SQLAlchemyError, OSError: the ledger cannot be asked.
        """
        holder = await self._begin(name)
        if holder is None:
            yield False
            return
        try:
            yield True
        except asyncio.CancelledError:
            if holder.lost and holder.task.uncancel() == 0:
                detail = "the connection that held the turn was lost"
                raise Retryable("turn_lost", name, detail) from None
            raise
        else:
            if holder.lost:  # told too late to matter: what is done is done
                with suppress(asyncio.CancelledError):
                    await asyncio.sleep(0)
                holder.task.uncancel()
        finally:
            await self._end(name, holder)

    async def close(self) -> None:
        """Give all turns back and disconnect."""
        if self._connection is not None:
            await self._drop(self._connection)
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
        await self._engine.dispose()

    async def _begin(self, name: str) -> _Holder | None:
        task = asyncio.current_task()
        async with self._one:
            # Locks of a session are counted: it would get one again that it has.
            if task is None or name in self._held:
                return None
            connection = await self._connected()
            if not await self._ask(connection, "pg_try_advisory_lock", name):
                return None
            holder = self._held[name] = _Holder(task, connection)
            return holder

    async def _end(self, name: str, holder: _Holder) -> None:
        if self._held.get(name) is not holder:
            return  # lost
        del self._held[name]
        async with self._one:
            if self._connection is holder.connection:
                with suppress(SQLAlchemyError, OSError):  # then it is gone with its connection
                    await self._ask(holder.connection, "pg_advisory_unlock", name)

    async def _connected(self) -> AsyncConnection:
        if self._connection is None:
            self._connection = await self._engine.connect()
            self._watching = asyncio.create_task(self._watch(self._connection))
        return self._connection

    async def _ask(self, connection: AsyncConnection, function: str, name: str) -> bool:
        """Ask for a lock or give it back; whatever goes wrong, nobody knows any more who has what."""
        query = f"SELECT {function}(hashtext($1))"  # our own words
        try:
            return bool((await connection.exec_driver_sql(query, (name,))).scalar())
        except BaseException:
            await self._drop(connection)
            raise

    async def _watch(self, connection: AsyncConnection) -> None:
        """Ask every few seconds whether the connection is there, for as long as it is ours."""
        while self._connection is connection:
            await asyncio.sleep(_LOOK_SECONDS)
            async with self._one:
                if self._connection is not connection:
                    return
                try:
                    await connection.exec_driver_sql("SELECT 1")
                except (SQLAlchemyError, OSError) as error:
                    self._log.warning(
                        "turns_lost", count=len(self._held), error=type(error).__name__
                    )
                    await self._drop(connection)

    async def _drop(self, connection: AsyncConnection) -> None:
        """Let a connection go, and stop whoever has a turn by it."""
        if self._connection is connection:
            self._connection = None
        own = [name for name, holder in self._held.items() if holder.connection is connection]
        for name in own:
            holder = self._held.pop(name)
            holder.lost = True
            holder.task.cancel()
        with suppress(SQLAlchemyError, OSError):
            await connection.invalidate()
        with suppress(SQLAlchemyError, OSError):
            await connection.close()
