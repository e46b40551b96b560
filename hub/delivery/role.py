"""The deliver role of one target: a scheduler over the ledger, which is the queue.

Due deliveries are claimed, the oldest first, up to the target's concurrency and never two of one
business key, and each runs in a task of its own. An event on CANONICAL only wakes the role; lost,
early or repeated wake-ups do no harm. Any number of replicas may run on one ledger.
"""

from __future__ import annotations

import asyncio
import math
from contextlib import suppress
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from hub.delivery.breaker import State
from hub.delivery.courier import Courier, Hand
from hub.delivery.health import Health
from hub.delivery.parts import DeliverParts, TargetSpec
from hub.delivery.persistence import LEDGER_ERRORS, Backoff, Ledger
from hub.failpoints import reached
from hub.ids import new_id
from hub.ledger import deliveries, recovered, settlements
from hub.ledger.delivery_rows import Claim, Wanted


class DeliverRole:
    """Delivers to one target until it is stopped."""

    def __init__(self, target: TargetSpec, parts: DeliverParts) -> None:
        self._target = target
        self._parts = parts
        self._health = Health(target.limits, parts.clock, parts.retry_ratio)
        self._breaker = self._health.state
        self._courier = Courier(target, parts, self._health)
        self._ledger = Ledger(target.name, parts)
        self._backoff = Backoff(parts)
        self._wake = asyncio.Event()
        self._knock_at = math.inf
        self._looked_at = -math.inf
        self._hands: dict[asyncio.Task[None], Hand] = {}

    def wake(self) -> None:
        """Say that there may be work; cheap, from the event loop's own thread."""
        self._wake.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Deliver until `stop` is set; then finish or give back what is in hand.

        Never ends by itself: without the ledger or the target it waits, and says so.
        """
        helpers = [
            asyncio.create_task(self._wake_on(stop)),
            asyncio.create_task(self._renew_leases()),
        ]
        try:
            while not stop.is_set():
                await self._round(stop)
            await self._drain()
        finally:
            await _cancel([*helpers, *self._hands])

    async def _round(self, stop: asyncio.Event) -> None:
        """Claim once, then wait for something to do."""
        try:
            if self._health.came_back():
                await self._hasten()
            found, wait = await self._claim()
            if not (found or self._hands) or self._is_stuck():
                await self._knock()
        except LEDGER_ERRORS as error:
            self._ledger.unreachable(error)
            await _wait(stop, self._backoff.wait())
        except Exception as error:  # a bug must not end the role: lose no target
            self._event("role_failed", error=type(error).__name__)
            await _wait(stop, self._backoff.wait())
        else:
            self._backoff.reset()
            if wait > 0:
                await _wait(self._wake, wait)
            left = self._looked_at + self._parts.timing.gap - self._parts.clock.monotonic()
            if left > 0:
                await asyncio.sleep(left)
            self._wake.clear()

    async def _hasten(self) -> None:
        """Let go on at once what waits for the target, now that it is back."""
        now = self._parts.clock.now()
        await self._ledger.once(lambda conn: recovered.hasten(conn, self._target.name, now))

    def _is_stuck(self) -> bool:
        """Whether every lane hangs in a call of a target that may be tried again."""
        half_open = self._health.state is State.HALF_OPEN
        return half_open and len(self._hands) >= self._target.limits.concurrency

    async def _knock(self) -> None:
        """Ask a target in trouble whether it is back, where nothing is due that would find out.

        While the breaker is open the time goes on: once it lets a call through, one is made.
        """
        now = self._parts.clock.monotonic()
        if not self._health.in_trouble:
            self._knock_at = math.inf
            return
        if math.isinf(self._knock_at):
            self._knock_at = now + self._parts.timing.knock
        if now < self._knock_at or self._health.state is State.OPEN:
            return
        self._knock_at = now + self._parts.timing.knock
        waits = await self._ledger.once(lambda conn: recovered.waiting(conn, self._target.name))
        if waits is not None:
            await self._courier.knock(waits)
            self._tell_state()
            self._wake.set()  # what waits for it goes on in the next round, and that is now

    async def _claim(self) -> tuple[bool, float]:
        """Claim what there is room for.

        Returns:
            False where a look at the ledger found nothing; the seconds to wait for a wake-up.

        """
        uncalled = sum(not hand.called for hand in self._hands.values())
        room = self._health.room(len(self._hands), uncalled)
        if room.all == 0:
            return True, min(self._parts.timing.tick, max(room.again_in, 0.001))
        limit = min(room.all, room.retries) if room.retries else room.all
        now = self._parts.clock.now()
        wanted = Wanted(
            target=self._target.name,
            token=new_id(int(now.timestamp() * 1000)),
            until=now + timedelta(seconds=self._parts.timing.lease),
            limit=limit,
            busy=[hand.claim.delivery.business_key for hand in self._hands.values()],
            fresh_only=not room.retries,
            yielding=self._room_for_replays(),
        )
        self._looked_at = self._parts.clock.monotonic()
        found = await self._ledger.once(lambda conn: deliveries.claim(conn, wanted, now))
        if found.claims:
            reached("deliver.claimed")
        for claim in found.claims:
            self._start(claim)
        more = found.waiting or len(found.claims) == limit
        return bool(found.claims), 0.0 if more else self._parts.timing.tick

    def _room_for_replays(self) -> int:
        """Return how many replayed ones may be claimed: never more than half of the lanes.

        A live one that comes finds a lane, and does not wait for a replay to end first.
        """
        mine = sum(hand.claim.delivery.yields for hand in self._hands.values())
        return max(0, max(1, self._target.limits.concurrency // 2) - mine)

    def _start(self, claim: Claim) -> None:
        leave = self._health.claimed(is_retry=claim.delivery.attempts > 0)
        hand = Hand(claim, leave, self._parts.clock.now())
        task = asyncio.create_task(self._lane(hand))
        self._hands[task] = hand
        task.add_done_callback(self._finished)

    async def _lane(self, hand: Hand) -> None:
        delivery = hand.claim.delivery
        try:
            with self._parts.observer.attempt(delivery):
                await self._courier.carry(hand)
        except Exception as error:  # a bug: the lease runs out, it is tried again
            self._health.unused(hand.leave)
            self._event("lane_failed", delivery=delivery.id, error=type(error).__name__)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._hands.pop(task, None)
        self._wake.set()
        self._tell_state()

    def _tell_state(self) -> None:
        if self._health.state != self._breaker:
            self._breaker = self._health.state
            self._event("breaker", state=self._breaker.value)

    async def _drain(self) -> None:
        """Wait for what is in hand as long as the grace lasts, then give it back."""
        hands = dict(self._hands)
        if not hands:
            return
        _, late = await asyncio.wait(hands, timeout=self._parts.timing.grace)
        await _cancel(list(late))
        claims = [hands[task].claim for task in late]
        if claims:
            now = self._parts.clock.now()
            first = self._parts.policy.ask_delays_seconds[:1]
            ask_at = now + timedelta(seconds=sum(first))
            with suppress(*LEDGER_ERRORS):  # unreachable: then their leases run out instead
                await self._ledger.once(
                    lambda conn: settlements.put_back(conn, claims, now, ask_at)
                )

    async def _renew_leases(self) -> None:
        """Keep what is in hand ours, however long rendering or the ledger takes."""
        while True:
            await asyncio.sleep(self._parts.timing.lease / 3)
            if self._hands:
                with suppress(*LEDGER_ERRORS):  # the next beat tries again
                    await self._ledger.once(self._renew)

    async def _renew(self, conn: AsyncConnection) -> None:
        tokens = sorted({hand.claim.token for hand in self._hands.values()})
        until = self._parts.clock.now() + timedelta(seconds=self._parts.timing.lease)
        await settlements.renew(conn, tokens, until)

    async def _wake_on(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._wake.set()

    def _event(self, name: str, **facts: str | float) -> None:
        self._parts.observer.event(name, target=self._target.name, **facts)


async def _wait(event: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()


async def _cancel(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
