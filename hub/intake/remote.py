"""Mailboxes: takes files from a partner's server, and puts each aside there once it is safe.

A file goes through like one of a folder (`hub.intake.folder`): stable, read under a cap, stored
durably, then moved into `done` there or deleted. A connection that is lost leaves what has arrived;
the next look goes on from there, and so it does where a look took too long: every step of it has its
own patience, yet a server that sends a byte at a time would hold us for ever. A host key that is not the configured one stops the connection's
looks until the hub is started anew: somebody must find out why.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import structlog
from sqlalchemy.exc import SQLAlchemyError

from canonical.errors import ConfigError, HubError, Rejected, Retryable
from connectors.base import Receipt
from connectors.transports.folder import Identity, Seen, Watch
from connectors.transports.names import safe_name
from connectors.transports.remote import (
    Download,
    Opener,
    RemoteFile,
    Session,
    fresh,
    marked,
    sift,
)
from hub.intake.door import Door
from hub.ledger.turns import Turns
from hub.pause import pause
from hub.settings.transports import FtpsTransport, SftpTransport

_MOST_AT_ONCE = 200
_LOOK_SECONDS = 900.0
"""The longest look: 50 MB come in it at 56 kB/s, and what has come by then is not asked for again."""
_FAILED = "failed"
_HALT_SECONDS = 300.0
_HARD_STOP = "host_key_changed"

MailboxTransport = SftpTransport | FtpsTransport


class RemoteIntake:
    """Looks into the inbox of one connection; among replicas, one at a time does."""

    def __init__(
        self,
        connection: str,
        transport: MailboxTransport,
        opener: Opener,
        door: Door,
        turns: Turns,
    ) -> None:
        if transport.inbox is None:
            raise ValueError("a mailbox intake needs an inbox")
        self._connection = connection
        self._inbox = transport.inbox
        self._transport = transport
        self._open = opener
        self._door = door
        self._turns = turns
        self._watch = Watch(transport.pattern, transport.stable_seconds, limit=_MOST_AT_ONCE)
        self._seen: Mapping[str, Seen] = {}
        self._stuck: dict[str, Identity] = {}
        """Stored, and the server does not let us put them aside."""
        self._download: Download | None = None
        self._log = structlog.get_logger("hub.mailbox").bind(connection=connection)

    async def run(self, stop: asyncio.Event) -> None:
        """Look until stopped; faults of the server are waited out."""
        while not stop.is_set():
            wait = self._transport.every_seconds
            try:
                if await self.look():
                    continue
            except ConfigError as error:
                self._log.error("mailbox_halted", code=error.code)
                self._door.refused(self._connection, error)
                if error.code == _HARD_STOP:
                    await stop.wait()
                wait = _HALT_SECONDS
            except HubError as error:
                self._log.warning("mailbox_waits", code=error.code)
                self._door.refused(self._connection, error)
            except (SQLAlchemyError, OSError) as error:
                self._log.warning("mailbox_waits", error=type(error).__name__)
            await pause(stop, wait)

    async def look(self) -> bool:
        """Take in everything that is ready; True: there may be more at once.

        Raises:
            ConfigError: ``host_key_changed``, ``login_refused``, ``certificate_refused``.
            Retryable: the server cannot be used now, or another replica looks (``turn_lost``); what
                was taken in stays taken in.
        """
        async with self._turns.take(f"poll:{self._connection}") as ours:
            if not ours:
                return False
            try:
                async with asyncio.timeout(_LOOK_SECONDS), self._open() as session:
                    return await self._work(session)
            except TimeoutError:
                detail = f"expected the look to end within {_LOOK_SECONDS:.0f} seconds"
                raise Retryable("connection_lost", "", detail) from None

    async def _work(self, session: Session) -> bool:
        entries = await session.entries(self._inbox, self._transport.max_listed)
        if len(entries) >= self._transport.max_listed:
            self._log.warning("mailbox_crowded", count=len(entries))
        now, most = self._door.clock.monotonic(), self._transport.max_bytes
        found = sift(entries, self._watch, most, now, self._seen)
        self._seen = found.seen
        self._stuck = {name: at for name, at in self._stuck.items() if name in found.seen}
        for name, error in found.refusals:
            self._door.refused(self._connection, error)
            await self._set_aside(session, name, found.seen[name].identity)
        for name in found.ready:
            await self._take(session, name, found.seen[name].identity)
        return len(found.ready) >= _MOST_AT_ONCE

    async def _take(self, session: Session, name: str, identity: Identity) -> None:
        """Take one file in; what concerns it alone is said and left for the next look.

        Raises:
            Retryable: ``connection_lost``, or nothing can be stored now.
        """
        if self._stuck.get(name) == identity:
            return
        try:
            file = await self._read(session, name, identity)
        except Retryable as error:
            if error.code == "connection_lost":
                raise
            self._log.info("file_later", code=error.code)
            return
        await self._door.accept(self._receipt(file))
        try:
            await self._finish(session, file)
        except Retryable as error:
            if error.code == "connection_lost":
                raise  # read again, it is the same acceptance
            self._stuck[name] = identity
            self._door.refused(self._connection, error)

    async def _read(self, session: Session, name: str, identity: Identity) -> RemoteFile:
        self._download = fresh(self._download, name, identity)
        file = await self._download.go_on(session, self._inbox)
        self._download = None
        return file

    def _receipt(self, file: RemoteFile) -> Receipt:
        with self._door.tracing.intake(self._connection) as carrier:
            return Receipt(
                id=file.acceptance_id(self._connection),
                connection=self._connection,
                delivery_id=file.delivery_id,
                received_at=self._door.clock.now(),
                body=file.body,
                facts={"file": safe_name(file.name), **carrier},
            )

    async def _finish(self, session: Session, file: RemoteFile) -> None:
        """Put a stored file aside, unless it is another one by now."""
        there = await session.stat(self._inbox, file.name)
        if there is None or there.identity != file.after:
            return
        if self._transport.done is None:
            await session.remove(self._inbox, file.name)
        else:
            await self._move(session, file, self._transport.done)

    async def _set_aside(self, session: Session, name: str, identity: Identity) -> None:
        """Move a refused entry into `failed`; one that cannot be moved stays and is passed over."""
        try:
            await self._move(session, RemoteFile(name, identity, identity, b"", ""), _FAILED)
        except (Rejected, Retryable) as error:
            if error.code == "connection_lost":
                raise
            self._log.warning("file_not_moved", code=error.code)

    async def _move(self, session: Session, file: RemoteFile, subfolder: str) -> None:
        folder = f"{self._inbox.rstrip('/')}/{subfolder}"
        await session.make_folder(folder)
        name = file.name
        if await session.stat(folder, name) is not None:  # never over another file
            name = marked(name, file.identity, file.sha256)
        try:
            await session.rename((self._inbox, file.name), (folder, name))
        except Rejected as error:
            raise Retryable("folder_unavailable", error.where, error.detail) from None
