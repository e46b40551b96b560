"""A simulated JetStream that behaves as the real one was measured to, faults included.

What is taken from measurements (nats-server 2.15, `sync_interval: always`):

- A PubAck is durable. A consumer's acknowledgement is not: a kill takes back those of the last
  100 ms, whichever call made them.
- Message ids are remembered for a window, by scanning what is still in the stream after a restart:
  under work-queue retention an acknowledged message is forgotten by then, under limits it is not.
- The id alone is compared, never the payload.
- An atomic batch with one id that is known is refused whole (10201), and one with a gap (10176).
- What was not acknowledged comes again after ``ack_wait``, as often behind younger messages as
  before them. A late acknowledgement of an earlier delivery is accepted.
- After ``max_deliver`` a message is stranded: it stays in the stream and is given to nobody. The
  advisory that tells of it is raised only when a later pull meets the message.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

ACK_LOSS_SECONDS = 0.1
SEEN_BEFORE = 10201
ABANDONED = 10176
FULL = 10077


@dataclass(frozen=True, slots=True)
class Stored:
    """One message of a stream."""

    seq: int
    subject: str
    payload: bytes
    headers: Mapping[str, str]
    at: float

    @property
    def message_id(self) -> str | None:
        """The id that the publisher gave it."""
        return self.headers.get("Nats-Msg-Id")


@dataclass(slots=True)
class Pending:
    """A message that a consumer has given out and that is not acknowledged."""

    deliveries: int = 0
    again_at: float = 0.0


class Stream:
    """One stream; file storage, discard=new."""

    def __init__(self, name: str, window: float, *, work_queue: bool = False) -> None:
        self.name = name
        self.messages: dict[int, Stored] = {}
        self.full = False
        self._window = window
        self._work_queue = work_queue
        self._last = 0
        self._ids: dict[str, tuple[float, int]] = {}

    def seen(self, message_id: str | None, now: float) -> bool:
        """Whether a message with this id was stored within the window."""
        known = self._ids.get(message_id or "")
        return known is not None and now - known[0] < self._window

    def store(self, subject: str, payload: bytes, headers: Mapping[str, str], now: float) -> int:
        """Append a message; its sequence."""
        self._last += 1
        stored = Stored(self._last, subject, payload, headers, now)
        self.messages[stored.seq] = stored
        if stored.message_id:
            self._ids[stored.message_id] = (now, stored.seq)
        return stored.seq

    def acknowledged(self, seq: int) -> None:
        """Under work-queue retention, what is acknowledged is gone."""
        if self._work_queue:
            self.messages.pop(seq, None)

    def restart(self) -> None:
        """Rebuild the ids from what is in the stream."""
        here = {each.message_id: (each.at, each.seq) for each in self.messages.values()}
        self._ids = {name: at for name, at in here.items() if name}


@dataclass(slots=True)
class Consumer:
    """One durable pull consumer: explicit acknowledgements."""

    stream: Stream
    ack_wait: float
    max_deliver: int = -1
    next_seq: int = 1
    pending: dict[int, Pending] = field(default_factory=dict)
    acked: dict[int, float] = field(default_factory=dict)
    """Sequence -> when the server heard the acknowledgement."""
    advisories: list[int] = field(default_factory=list)

    def acknowledge(self, seq: int, now: float) -> None:
        """Accept an acknowledgement of any delivery of the message, however late."""
        if self.pending.pop(seq, None) is not None or seq < self.next_seq:
            self.acked.setdefault(seq, now)
            self.stream.acknowledged(seq)

    def put_off(self, seq: int, until: float) -> None:
        """`in_progress` and `nak`: it comes again at another moment."""
        if seq in self.pending:
            self.pending[seq].again_at = until

    def due(self, now: float) -> list[int]:
        """Return what may be given out again."""
        found = []
        for seq, each in self.pending.items():
            if each.again_at > now or seq not in self.stream.messages:
                continue
            if self.max_deliver > 0 and each.deliveries >= self.max_deliver:
                if seq not in self.advisories:
                    self.advisories.append(seq)  # lazily: a pull has met it
                continue
            found.append(seq)
        return found

    def take(self, most: int, now: float, rng: random.Random) -> list[tuple[Stored, int]]:
        """Give out messages with the count of their deliveries; old and new in either order."""
        again = self.due(now)
        fresh = [seq for seq in self.stream.messages if seq >= self.next_seq]
        wanted = (again + fresh if rng.random() < 0.5 else fresh + again)[:most]
        out = []
        for seq in wanted:
            each = self.pending.setdefault(seq, Pending())
            each.deliveries += 1
            each.again_at = now + self.ack_wait
            self.next_seq = max(self.next_seq, seq + 1)
            out.append((self.stream.messages[seq], each.deliveries))
        return out

    def killed(self, now: float, lost: float) -> None:
        """Come back from the disk: acknowledgements of the last moments are not there."""
        for seq, at in list(self.acked.items()):
            if now - at <= lost and seq in self.stream.messages:
                del self.acked[seq]
                self.pending[seq] = Pending(1, now + self.ack_wait)

    def reset(self) -> None:
        """Lose the position altogether (measured after power loss): everything comes again."""
        self.pending.clear()
        self.acked.clear()
        self.next_seq = 1


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def _nobody(subject: str) -> None:
    """Nobody listens."""
    del subject


class Broker:
    """The server: its streams, the consumer of receipts, and whether it is there."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, rng: random.Random, streams: Sequence[Stream]
    ) -> None:
        self.loop = loop
        self.rng = rng
        self.streams = {stream.name: stream for stream in streams}
        self.consumers: dict[str, Consumer] = {}
        self.up = True
        self.late_answers = 0
        """Publishes that are stored, and whose PubAck does not come in time."""
        self.listen: Callable[[str], None] = _nobody
        """Told of the subject of every message that is stored."""
        self._waiting: list[asyncio.Future[None]] = []
        self._batches: dict[str, list[tuple[str, bytes, Mapping[str, str]]]] = {}

    def of(self, subject: str) -> Stream:
        """Return the stream that takes a subject."""
        return self.streams[subject.partition(".")[0].upper()]

    def publish(self, subject: str, payload: bytes, headers: Mapping[str, str]) -> int | None:
        """Store a message; None: its id is known, and nothing of it is kept."""
        stream = self.of(subject)
        now = self.loop.time()
        if stream.seen(headers.get("Nats-Msg-Id"), now):
            return None
        seq = stream.store(subject, payload, headers, now)
        self._news_of(subject)
        return seq

    def part(self, subject: str, payload: bytes, headers: Mapping[str, str]) -> None:
        """Take one message of an atomic batch that is not committed yet."""
        self._batches.setdefault(headers["Nats-Batch-Id"], []).append((subject, payload, headers))

    def commit(self, subject: str, payload: bytes, headers: Mapping[str, str]) -> int:
        """Commit an atomic batch with its last message; 0, or the error's code: none is stored."""
        batch = self._batches.pop(headers["Nats-Batch-Id"], [])
        if len(batch) != int(headers["Nats-Batch-Sequence"]) - 1:
            return ABANDONED
        batch.append((subject, payload, headers))
        stream, now = self.of(subject), self.loop.time()
        if stream.full:
            return FULL
        if any(stream.seen(each[2].get("Nats-Msg-Id"), now) for each in batch):
            return SEEN_BEFORE
        for each in batch:
            stream.store(*each, now)
        self._news_of(subject)
        return 0

    def _news_of(self, subject: str) -> None:
        self.wake()
        self.listen(subject)

    def wake(self) -> None:
        """Let those look again who wait for messages."""
        for future in self._waiting:
            _resolve(future)
        self._waiting.clear()

    async def news(self, until: float) -> None:
        """Wait until it may be worth looking again, but no longer than that."""
        future: asyncio.Future[None] = self.loop.create_future()
        self._waiting.append(future)
        timer = self.loop.call_at(until, _resolve, future)
        try:
            await future
        finally:
            timer.cancel()

    def kill(self) -> None:
        """The server is gone; what it had not written is lost."""
        self.up = False
        self._batches.clear()
        now, lost = self.loop.time(), self.rng.uniform(0, ACK_LOSS_SECONDS)
        for consumer in self.consumers.values():
            consumer.killed(now, lost)

    def start(self) -> None:
        """The server is back."""
        self.up = True
        for stream in self.streams.values():
            stream.restart()
        self.wake()
