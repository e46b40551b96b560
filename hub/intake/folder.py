"""Folders: takes in what partners drop, once it stands still, and moves it once it is safe."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import structlog

from canonical.errors import HubError, Rejected, Retryable
from connectors.base import Receipt
from connectors.transports import folder
from hub.intake.door import Door
from hub.intake.shares import shares
from hub.settings.model import FolderTransport

_LOOK_SECONDS = 0.5
_MOST_AT_ONCE = 200
_MOST_BYTES = 64 * 1024**2
"""Most bytes of files in memory at once; one file may be more, up to the connection's own cap."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """A file that was read and is to be stored."""

    file: folder.InboxFile
    receipt: Receipt


class FolderIntake:
    """Watches the inbox of one connection.

    Two replicas may watch one folder: the receipt's id is derived from the very file, so what
    both take in is decided once.
    """

    def __init__(self, connection: str, transport: FolderTransport, door: Door) -> None:
        if transport.inbox is None:
            raise ValueError("a folder intake needs an inbox")
        self._connection = connection
        self._inbox: Path = transport.inbox
        self._transport = transport
        self._door = door
        self._watch = folder.Watch(transport.pattern, transport.stable_seconds, limit=_MOST_AT_ONCE)
        self._seen: Mapping[str, folder.Seen] = {}
        self._log = structlog.get_logger("hub.folder").bind(connection=connection)

    async def run(self, stop: asyncio.Event) -> None:
        """Look into the inbox until stopped; faults of the disk or of NATS are waited out."""
        while not stop.is_set():
            busy = False
            try:
                busy = await self.look()
            except HubError as error:
                self._log.warning("folder_waits", error=type(error).__name__, code=error.code)
            except OSError as error:
                self._log.warning("folder_waits", error=type(error).__name__)
            if not busy:
                await _pause(stop)

    async def look(self) -> bool:
        """Take in everything that is ready; True: there may be more at once."""
        now = self._door.clock.monotonic()
        found = await asyncio.to_thread(self._scan, now)
        self._seen = found.seen
        for name, error in found.refusals:
            await self._refuse(name, error)
        for names in self._shares(found.ready):
            dropped = [drop for name in names if (drop := await self._read(name))]
            await asyncio.gather(*(self._take_in(drop) for drop in dropped))
        return len(found.ready) >= _MOST_AT_ONCE

    def _shares(self, names: Sequence[str]) -> list[list[str]]:
        """Divide files into shares that memory can hold; each is stored before the next is read."""
        return shares(names, lambda name: self._seen[name].identity.size, _MOST_BYTES)

    def _scan(self, now: float) -> folder.Scan:
        with folder.opened(self._inbox) as inbox:
            return folder.scan(inbox, self._watch, now, self._seen)

    async def _read(self, name: str) -> Dropped | None:
        try:
            file = await asyncio.to_thread(self._read_file, name)
        except Retryable as error:
            self._log.info("file_later", code=error.code)
            return None
        except Rejected as error:
            await self._refuse(name, error)
            return None
        with self._door.tracing.intake(self._connection) as carrier:
            receipt = Receipt(
                id=file.acceptance_id(self._connection),
                connection=self._connection,
                delivery_id=file.delivery_id,
                received_at=self._door.clock.now(),
                body=file.body,
                facts={"file": folder.safe_name(name), **carrier},
            )
        return Dropped(file, receipt)

    def _read_file(self, name: str) -> folder.InboxFile:
        with folder.opened(self._inbox) as inbox:
            identity = self._seen[name].identity
            return folder.read_file(inbox, name, identity, self._transport.max_bytes)

    async def _take_in(self, drop: Dropped) -> None:
        try:
            await self._door.accept(drop.receipt)
        except Retryable as error:
            self._door.refused(self._connection, error)  # the file stays where it is
            return
        await self._finish(drop.file.name, "done", "", drop.file.identity)

    async def _refuse(self, name: str, error: Rejected) -> None:
        self._door.refused(self._connection, error)
        await self._finish(name, "failed", str(error), None)

    async def _finish(
        self,
        name: str,
        outcome: Literal["done", "failed"],
        note: str,
        expect: folder.Identity | None,
    ) -> None:
        def move() -> None:
            with folder.opened(self._inbox) as inbox:
                folder.finish(inbox, name, outcome, note, expect)

        try:
            await asyncio.to_thread(move)
        except HubError as error:
            self._log.warning("file_not_moved", code=error.code)


async def _pause(stop: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(_LOOK_SECONDS):
            await stop.wait()
    except TimeoutError:
        return
