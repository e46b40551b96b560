"""The outbox relay: what is committed gets published, whatever dies in between.

After a commit the batch publishes its own events from memory (`publish`). A loop (`run`) takes
what that left behind: a hub that was killed, or a NATS that was away. Both delete the rows by
exact ids after the PubAck; publishing one event twice is harmless, its message id is the same.
An event behind an older one of its key that waits is left to the loop, which goes in order.
What the broker will never take is set aside: it neither holds up the others nor comes again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from canonical.errors import Retryable
from hub.events import Event
from hub.failpoints import reached
from hub.ledger import outbox
from hub.pause import pause
from hub.publisher import Publisher, Unpublishable

_STREAMS = ("canonical.", "dead.")
"""What the outbox holds, by the first token of the subject; each stream goes on its own."""
_BATCH = 500
_IDLE_SECONDS = 1.0
_GRACE_SECONDS = 2.0
"""The loop leaves rows alone that are this young: their own batch is publishing them."""


class Relay:
    """Moves events from the outbox to NATS."""

    def __init__(self, engine: AsyncEngine, publisher: Publisher) -> None:
        self._engine = engine
        self._publisher = publisher
        self._log = structlog.get_logger("hub.relay")

    async def publish(self, events: Sequence[Event]) -> None:
        """Publish events that have just been committed; a failure leaves them to the loop."""
        behind = await self._behind(events)
        for stream in _STREAMS:
            own = [
                event
                for event in events
                if event.subject.startswith(stream) and event.event_id not in behind
            ]
            if own:
                await self._publish(own)

    async def _behind(self, events: Sequence[Event]) -> set[str]:
        """Return the ids of events that must not go before an older one that waits.

        Only what changes something can be behind: most events are the first of their key, and cost
        no question.
        """
        later = [event for event in events if event.version > 1]
        if not later:
            return set()
        try:
            async with self._engine.begin() as connection:
                return await outbox.behind(connection, later, [event.event_id for event in events])
        except (SQLAlchemyError, OSError) as error:
            self._log.warning("relay_deferred", events=len(later), error=type(error).__name__)
            return {event.event_id for event in later}

    async def _publish(self, events: list[Event]) -> None:
        try:
            refused = await self._store(events)
            reached("relay.published")
            async with self._engine.begin() as connection:
                await _settle(connection, events, refused)
        except (Retryable, SQLAlchemyError, OSError) as error:
            self._log.warning("relay_deferred", events=len(events), error=type(error).__name__)

    async def _store(self, events: Sequence[Event]) -> Sequence[str]:
        """Publish all events but those that the broker will never take; the ids of these.

        Raises:
            Retryable: NATS takes nothing now.
        """
        try:
            await self._publisher.publish([event.outgoing() for event in events])
        except Unpublishable as error:
            for event_id in error.message_ids:
                self._log.error("event_set_aside", name=event_id, code=error.code)
            return error.message_ids
        return ()

    async def run(self, stop: asyncio.Event) -> None:
        """Publish what was left behind, until stopped."""
        while not stop.is_set():
            moved = [await self._sweep(stream) for stream in _STREAMS]
            if max(moved) < _BATCH:
                await pause(stop, _IDLE_SECONDS)

    async def _sweep(self, stream: str) -> int:
        """Publish a batch of one stream's events; a stream that refuses holds up no other."""
        try:
            async with self._engine.begin() as connection:
                events = await outbox.take(connection, stream, _BATCH, older_than=_GRACE_SECONDS)
                if events:
                    refused = await self._store(events)
                    reached("relay.swept")
                    await _settle(connection, events, refused)
        except (Retryable, SQLAlchemyError, OSError) as error:
            self._log.warning("relay_waits", stream=stream, error=type(error).__name__)
            return 0
        return len(events)


async def _settle(
    connection: AsyncConnection, events: Sequence[Event], refused: Sequence[str]
) -> None:
    """Forget what is published, and set the rest aside."""
    if refused:
        await outbox.set_aside(connection, refused, Unpublishable.CODE)
    await outbox.forget(connection, [e.event_id for e in events if e.event_id not in refused])
