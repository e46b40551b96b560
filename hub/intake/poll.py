"""Polling: asks a system for what changed and takes each page in like any other receipt."""

from __future__ import annotations

import asyncio

import structlog
from sqlalchemy.exc import SQLAlchemyError

from canonical.errors import HubError, Retryable
from connectors.base import Page, Poller, Receipt
from hub.failpoints import reached
from hub.ids import new_id
from hub.intake.door import Door
from hub.ledger import cursors
from hub.ledger.turns import Turns
from hub.settings.model import PollTransport


class PollIntake:
    """Polls one connection; among replicas, one at a time does."""

    def __init__(
        self,
        connection: str,
        transport: PollTransport,
        poller: Poller,
        door: Door,
        turns: Turns,
    ) -> None:
        self._connection = connection
        self._transport = transport
        self._poller = poller
        self._door = door
        self._turns = turns
        self._log = structlog.get_logger("hub.poll").bind(connection=connection)

    async def run(self, stop: asyncio.Event) -> None:
        """Poll every flow, wait, and again, until stopped."""
        while not stop.is_set():
            wait = self._transport.every_seconds
            try:
                wait = max(wait, await self.poll_once())
            except (HubError, SQLAlchemyError, OSError) as error:
                self._log.warning("poll_waits", error=type(error).__name__)
            try:
                async with asyncio.timeout(wait):
                    await stop.wait()
            except TimeoutError:
                continue

    async def poll_once(self) -> float:
        """Poll all flows once, unless another replica is at it.

        A flow that fails is counted and left for the next time; what was taken in of it stays
        taken in, and the other flows are polled all the same.

        Returns:
            The longest time, in seconds, that the system asked us to wait; 0 if it asked nothing.
        """
        asked = 0.0
        async with self._turns.take(f"poll:{self._connection}") as ours:
            if not ours:
                return asked
            for flow in self._transport.flows or self._poller.flows:
                try:
                    await self._poll_flow(flow)
                except HubError as error:
                    self._log.warning("flow_waits", flow=flow, code=error.code)
                    self._door.refused(self._connection, error)
                    if isinstance(error, Retryable):
                        asked = max(asked, error.retry_after or 0.0)
        return asked

    async def _poll_flow(self, flow: str) -> None:
        async with self._door.engine.connect() as ledger:
            cursor, last = await cursors.load(ledger, self._connection, flow)
        async for page in self._poller.poll(flow, cursor):
            if page.delivery_id != last:  # the overlap alone is no news
                await self._take_in(flow, page)
                reached("poll.stored")
            last = page.delivery_id
            async with self._door.engine.begin() as own:
                await cursors.save(
                    own, (self._connection, flow), (page.cursor, last), self._door.clock.now()
                )

    async def _take_in(self, flow: str, page: Page) -> None:
        now = self._door.clock.now()
        with self._door.tracing.intake(self._connection) as carrier:
            receipt = Receipt(
                id=new_id(int(now.timestamp() * 1000)),
                connection=self._connection,
                delivery_id=page.delivery_id,
                received_at=now,
                body=page.body,
                flow=flow,
                content_type="application/json",
                facts=dict(carrier),
            )
            await self._door.accept(receipt)
