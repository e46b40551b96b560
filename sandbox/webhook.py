"""Webhooks that an emulated system sends to the hub: queued durably, retried, every answer kept.

Effects, for the noun ``webhook``: ``webhook_queued`` (before the first attempt) and
``webhook_sent`` (each attempt, with the hub's answer; `final` when no other follows).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import httpx

from sandbox.journal import Entry
from sandbox.world import Effect, World

Signature = Literal["good", "bad", "missing", "non_ascii"]
TIMEOUT_SECONDS = 5.0
"""Shopify waits 5 s in total for an answer."""
RETRY_SECONDS = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
"""Waits between attempts: as many as Shopify's (8 in 4 hours), pressed into a minute."""
CONCURRENCY = 8
_MOST_OF_ANSWER = 300


@dataclass(frozen=True)
class Delivery:
    """One webhook delivery; a retry sends the same bytes under the same id."""

    id: str
    connection: str
    """The hub's name of the connection: it is sent to ``/in/<connection>``."""
    reference: str
    body: str
    headers: Mapping[str, str]
    """All but the signature."""
    signature: Signature = "good"
    once: bool = False
    """No retries: for deliveries that are meant to be refused."""

    def row(self) -> dict[str, Any]:
        """As the journal keeps it."""
        return {
            "id": self.id, "connection": self.connection, "body": self.body,
            "headers": dict(self.headers), "signature": self.signature, "once": self.once,
        }  # fmt: skip


@dataclass(frozen=True)
class Attempt:
    """What came of one attempt."""

    number: int
    status: int | None
    """The hub's HTTP status; None where no answer came."""
    answer: str
    """The first characters of the answer, or the name of the failure."""
    final: bool = False

    @property
    def acknowledged(self) -> bool:
        """Whether the hub said yes."""
        return self.status is not None and httpx.codes.is_success(self.status)


class Deliveries:
    """All deliveries of one system, rebuilt from the journal."""

    def __init__(self, system: str, noun: str) -> None:
        self.system = system
        self.noun = noun
        self.known: dict[str, Delivery] = {}
        self.waiting: dict[str, int] = {}
        """Delivery id -> attempts so far, of those that are not finished."""
        self.outcomes: dict[str, Attempt] = {}

    def apply(self, entry: Entry) -> None:
        """Take a queued delivery or an attempt."""
        if entry["effect"] == f"{self.noun}_queued":
            delivery = Delivery(reference=entry["reference"], **entry["delivery"])
            self.known[delivery.id] = delivery
            self.waiting[delivery.id] = 0
        elif entry["effect"] == f"{self.noun}_sent":
            attempt = Attempt(entry["attempt"], entry["status"], entry["answer"], entry["final"])
            self.outcomes[entry["delivery_id"]] = attempt
            self.waiting[entry["delivery_id"]] = attempt.number
            if attempt.final:
                self.waiting.pop(entry["delivery_id"])

    def queued(self, delivery: Delivery, **more: Any) -> Effect:
        """The effect that queues a delivery."""
        data = {"delivery": delivery.row(), **more}
        return Effect(self.system, f"{self.noun}_queued", delivery.reference, data)

    def sent(self, delivery: Delivery, attempt: Attempt) -> Effect:
        """The effect of one attempt."""
        data = {
            "delivery_id": delivery.id, "attempt": attempt.number, "status": attempt.status,
            "answer": attempt.answer, "acknowledged": attempt.acknowledged, "final": attempt.final,
        }  # fmt: skip
        return Effect(self.system, f"{self.noun}_sent", delivery.reference, data)


class Hub:
    """Where the hub listens; it can move while the world goes on."""

    system = "hub"

    def __init__(self) -> None:
        self.url = ""

    def apply(self, entry: Entry) -> None:
        """Take a new address."""
        self.url = entry["url"]

    def moved(self, url: str) -> Effect:
        """The effect of a new address."""
        return Effect(self.system, "hub_moved", "", {"url": url.rstrip("/")})


Sign = Callable[[bytes], Mapping[str, bytes]]
"""Makes the signature headers of a body."""


class Sender:
    """Sends the deliveries of one system until each is acknowledged or given up."""

    def __init__(
        self,
        deliveries: Deliveries,
        world: World,
        hub: Hub,
        sign: Mapping[Signature, Sign],
        retry_seconds: Sequence[float] = RETRY_SECONDS,
    ) -> None:
        self.deliveries = deliveries
        self._world = world
        self._hub = hub
        self._sign = sign
        self._retry_seconds = retry_seconds
        self._slots = asyncio.Semaphore(CONCURRENCY)
        self._client = httpx.AsyncClient(timeout=TIMEOUT_SECONDS, trust_env=False)
        self._tasks: set[asyncio.Task[None]] = set()

    def resume(self) -> None:
        """Go on with whatever was waiting when the process died."""
        for delivery_id in list(self.deliveries.waiting):
            self._start(self.deliveries.known[delivery_id])

    def queue(self, delivery: Delivery, **more: Any) -> asyncio.Task[None]:
        """Queue a delivery and start sending it; the task ends with its last attempt."""
        self._world.record(self.deliveries.queued(delivery, **more))
        return self._start(delivery)

    def tasks(self) -> list[asyncio.Task[None]]:
        """What is being sent."""
        return list(self._tasks)

    async def close(self) -> None:
        """Stop; what waits goes on after the next start."""
        tasks = self.tasks()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._client.aclose()

    def _start(self, delivery: Delivery) -> asyncio.Task[None]:
        task = asyncio.create_task(self._deliver(delivery))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _deliver(self, delivery: Delivery) -> None:
        await self._world.journal.flushed()
        done = self.deliveries.waiting.get(delivery.id, 0)
        for number in range(done + 1, len(self._retry_seconds) + 2):
            attempt = await self._attempt(delivery, number)
            self._world.record(self.deliveries.sent(delivery, attempt))
            await self._world.journal.flushed()
            if attempt.final:
                return
            await asyncio.sleep(self._retry_seconds[number - 1])

    async def _attempt(self, delivery: Delivery, number: int) -> Attempt:
        last = delivery.once or number > len(self._retry_seconds)
        body = delivery.body.encode()
        plain = {name: value.encode() for name, value in delivery.headers.items()}
        signed = plain | dict(self._sign[delivery.signature](body))
        headers = {name.encode(): value for name, value in signed.items()}
        url = f"{self._hub.url}/in/{delivery.connection}"
        try:
            async with self._slots:
                response = await self._client.post(url, content=body, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return Attempt(number, None, type(error).__name__, last)
        text = response.text[:_MOST_OF_ANSWER]
        return Attempt(number, response.status_code, text, last or response.is_success)
