"""A mailbox as a target: files are left on a partner's server, whole or not at all.

Bytes go under a temporary name and are renamed into place. The partner takes files away, so a
missing file proves nothing; the ledger does: just before the rename it notes that all bytes are
there. As only the rename takes the temporary name away, the two together tell:

=====  =========  =================================================
noted  temporary  means
=====  =========  =================================================
no     any        not sent: noting comes before the rename
yes    there      not sent: the rename did not happen
yes    gone       sent
=====  =========  =================================================

A temporary file that an earlier try left is gone on with, after its bytes have been compared.

Codes, beside those of `connectors.transports.remote`: ``file_exists`` (`Rejected`: the name is
taken by other bytes), ``upload_incomplete``, ``rename_refused`` (`Retryable`), ``rename_in_doubt``
(`InDoubt`).
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from canonical.errors import InDoubt, Rejected, Retryable
from connectors.base import Capabilities, Outbound, Settled
from connectors.transports.remote import Opener, Session
from hub.clock import Clock
from hub.ledger import exchanges
from hub.ledger.exchanges import Key

CAPABILITIES = Capabilities(can_look_up=True, looks_up_itself=True)
"""Any action is the same here: leave the file."""

_SILENT = frozenset({"connection_failed", "connection_lost", "address_unknown", "address_private"})
"""Codes of a server that is not there, not of one that refuses."""
_MOST_SESSIONS = 2
"""Partners' servers count connections."""


class RemoteClient:
    """Leaves files in one folder of a server."""

    def __init__(
        self, key: tuple[str, str], opener: Opener, engine: AsyncEngine, clock: Clock
    ) -> None:
        """Build it.

        Args:
            key: the connection's name, and the folder there.
            opener: connects and logs in.
            engine: the ledger.
            clock: tells when a file was noted.
        """
        self._connection, self._outbox = key
        self._open = opener
        self._engine = engine
        self._clock = clock
        self._room = asyncio.Semaphore(_MOST_SESSIONS)
        self._silent = True
        """It did not let us in at all when it was last heard to be in trouble."""

    async def deliver(self, outbound: Outbound) -> Settled:
        """Leave the file; see `Client.deliver`."""
        self._silent = True
        try:
            return await self._leave(outbound)
        except (Retryable, InDoubt) as error:
            self._silent = error.code in _SILENT
            raise

    async def _leave(self, outbound: Outbound) -> Settled:
        name, body = outbound.file_name, outbound.encoded
        async with self._room, self._open() as session:
            if await self._is_there(session, name, body):
                return _settled(outbound)
            temporary = _temporary(name)
            await self._upload(session, temporary, body)
            async with self._ledger() as ledger:
                sha256 = hashlib.sha256(body).hexdigest()
                key = self._key(outbound)
                await exchanges.begin(ledger, key, sha256, outbound.id, self._clock.now())
            await self._publish(session, temporary, outbound)
        return _settled(outbound)

    async def look_up(self, outbound: Outbound) -> Settled | None:
        """Tell whether the file was left, by the table above or because it is still there."""
        async with self._ledger() as ledger:
            noted = await exchanges.find(ledger, self._key(outbound))
        if noted is None:
            return None
        async with self._room, self._open() as session:
            if await session.stat(self._outbox, outbound.file_name) is not None:
                return _settled(outbound)
            if await session.stat(self._outbox, _temporary(outbound.file_name)) is not None:
                return None
        return _settled(outbound)

    async def knock(self) -> bool:
        """Log in and look into the folder; see `Knocking.knock`.

        Where it had let us in and then not taken a file, such as for want of room, looking does
        not tell whether it would now.
        """
        was_silent, self._silent = self._silent, True
        async with self._room, self._open() as session:
            await session.entries(self._outbox, 1)
        self._silent = was_silent
        return was_silent

    async def close(self) -> None:
        """Nothing is kept open."""

    def _key(self, outbound: Outbound) -> Key:
        return Key(self._connection, "out", outbound.file_name)

    @asynccontextmanager
    async def _ledger(self) -> AsyncIterator[AsyncConnection]:
        try:
            async with self._engine.begin() as ledger:
                yield ledger
        except (SQLAlchemyError, OSError) as error:
            raise Retryable("ledger_unavailable", "", type(error).__name__) from error

    async def _is_there(self, session: Session, name: str, body: bytes) -> bool:
        found = await session.stat(self._outbox, name)
        if found is None:
            return False
        if found.size == len(body) and await self._holds(session, name, body):
            return True
        raise Rejected("file_exists", name, "the name is taken by other bytes")

    async def _holds(self, session: Session, name: str, beginning: bytes) -> bool:
        content = bytearray()
        await session.read(self._outbox, name, content, len(beginning))
        return bytes(content) == beginning

    async def _upload(self, session: Session, temporary: str, body: bytes) -> None:
        """Upload what is missing under the temporary name."""
        offset = 0
        part = await session.stat(self._outbox, temporary)
        if (
            part is not None
            and 0 < part.size <= len(body)
            and await self._holds(session, temporary, body[: part.size])
        ):
            offset = part.size
        if offset < len(body) or not body:
            await session.write(self._outbox, temporary, body, offset)
        whole = await session.stat(self._outbox, temporary)
        if whole is None or whole.size != len(body):
            raise Retryable("upload_incomplete", temporary, "the server has fewer bytes than sent")

    async def _publish(self, session: Session, temporary: str, outbound: Outbound) -> None:
        name = outbound.file_name
        try:
            await session.rename((self._outbox, temporary), (self._outbox, name))
        except Rejected as error:  # nothing took effect: what was noted is not true
            async with self._ledger() as ledger:
                await exchanges.forget(ledger, self._key(outbound))
            raise Retryable(error.code, error.where, error.detail) from None
        except Retryable as error:
            raise InDoubt("rename_in_doubt", name, error.detail) from None


def _temporary(name: str) -> str:
    return f".{name}.tmp"


def _settled(outbound: Outbound) -> Settled:
    sha256 = hashlib.sha256(outbound.encoded).hexdigest()
    return Settled(outbound.file_name, {"file": outbound.file_name, "sha256": sha256})
