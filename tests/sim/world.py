"""One run: a seed makes the workload and the faults, the world runs until everything is at rest."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from connectors.base import Capabilities
from hub import topology
from hub.release.holds import Act
from tests.sim import sql_people, workload
from tests.sim.broker import Broker, Consumer, Stream
from tests.sim.history import History
from tests.sim.loop import START, SimClock, VirtualLoop
from tests.sim.process import MOST_SKEW, TIMING, Archive, Process
from tests.sim.tables import Row, Store, Transaction
from tests.sim.target import Target

FAULT_SECONDS = 120.0
REST_SECONDS = 4 * 3600.0
"""So long after the last fault everything must be at rest: else it never will."""
_UNWRITABLE = 0.06
"""Share of documents that no mapping can write for the targets until somebody mends it."""
_REFUSED = 0.04
"""Share of documents that a target will never take."""
_ACK_WAIT = 30.0

_CAN = (
    Capabilities(can_look_up=True),
    Capabilities(can_look_up=True),
    Capabilities(idempotent=True),
    Capabilities(),
)
"""Targets that can be asked, that take a call twice without harm, and that can do neither."""


@dataclass
class Switches:
    """What a planted bug changes of the world itself; the rest it replaces in the hub's code."""

    work_queue: bool = False
    max_deliver: int = -1
    timing: dict[str, float] = field(default_factory=dict)
    window: float = topology.DEDUPE_SECONDS
    blind_replay: bool = False


class World:
    """Everything of one run."""

    def __init__(self, seed: int, switches: Switches | None = None) -> None:
        self.seed = seed
        self.switches = switches or Switches()
        self.rng = random.Random(seed)  # noqa: S311  # a seed, not a secret
        self.loop = VirtualLoop()
        self.history = History()
        self.store = Store(self.loop)
        self.archive = Archive()
        self.timing = replace(TIMING, **self.switches.timing)
        self.load = workload.make(self.rng, FAULT_SECONDS / 2)
        self.mended: set[str] = set()
        self.unwritable: set[str] = set()
        self.acknowledged: list[tuple[str, bytes]] = []
        """(receipt id, body) of everything whose sender heard yes."""
        self.broken: list[str] = []
        """Exceptions that ended a task of the hub."""
        self.live: list[Process] = []
        self.ambush: tuple[str, Callable[[World], Coroutine[Any, Any, None]]] | None = None
        """(state, fault): the next delivery that comes into the state is struck by the fault."""
        self.clock = SimClock(self.loop)
        self.sending = 0
        """Partners that have not sent everything yet."""
        self.mended_all = False
        """The time of faults is over."""
        self._started = 0
        self._make_broker()
        self._make_targets()
        self.loop.set_exception_handler(self._unhandled)
        self.store.listen = self._committed
        self.broker.listen = self._published

    def begin(self) -> None:
        """Start one hub process or two, and say what will go wrong by itself."""
        rng = self.rng
        for _ in range(rng.choice((1, 2, 2))):
            self.start_process()
        for target in self.targets.values():
            target.until = FAULT_SECONDS
            target.mishaps = rng.choice((0.0, 0.05, 0.2))
        for letter in self.load.every():
            if rng.random() < _UNWRITABLE:
                self.unwritable.add(letter.name)
            if rng.random() < _REFUSED:
                rng.choice(list(self.targets.values())).refuses.add(letter.name)

    def _make_broker(self) -> None:
        window, work_queue = self.switches.window, self.switches.work_queue
        streams = [
            Stream(name, window, work_queue=work_queue)
            for name in (topology.INTAKE, topology.CANONICAL, topology.DEAD)
        ]
        self.broker = Broker(self.loop, self.rng, streams)
        consumer = Consumer(
            self.broker.streams[topology.INTAKE], _ACK_WAIT, self.switches.max_deliver
        )
        self.broker.consumers[topology.NORMALIZE] = consumer

    def _make_targets(self) -> None:
        self.targets = {
            name: Target(name, self.rng.choice(_CAN), self.loop, self.rng, self.tell)
            for name in (workload.ERP, workload.DOCK)
        }

    def tell(self, what: str, *facts: str) -> None:
        """Note one thing that happened."""
        self.history.tell(self.loop.time(), what, *facts)

    def start_process(self) -> Process:
        """Start another hub process."""
        self._started += 1
        process = Process(self, f"hub-{self._started}")
        self.live.append(process)
        self.tell("start", process.name)
        process.start()
        return process

    def end_process(self, process: Process) -> None:
        """Kill a process."""
        self.tell("kill", process.name)
        process.kill()
        self.live.remove(process)

    def _unhandled(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        del loop
        error = context.get("exception")
        self.broken.append(f"{context.get('message')}: {error!r}")

    def _committed(self, table: str, row: Row) -> None:
        """Stand for the ticks of the deliver roles: they are woken when something is due."""
        if table == "pause":
            at = (row["until"] - START).total_seconds() + MOST_SKEW + 0.1
            self.loop.call_at(at, self._wake, row["target"])
        if table != "delivery":
            return
        self.tell("row", row["target"], row["id"][:6], f"v{row['version']}", row["state"])
        if self.ambush is not None and self.ambush[0] == row["state"]:
            self.loop.create_task(self.ambush[1](self))
            self.ambush = None
        for clock in ("next_at", "claimed_until"):
            if row[clock] is not None:
                at = (row[clock] - START).total_seconds() + MOST_SKEW + 0.1
                self.loop.call_at(
                    max(at, self.loop.time()), self._due, row["id"], clock, row[clock]
                )

    def _due(self, name: str, clock: str, at: datetime) -> None:
        row = self.store.tables["delivery"].rows.get(name)
        if row is not None and row[clock] == at:
            self._wake(row["target"])

    def _published(self, subject: str) -> None:
        """Stand for the wake consumers; a wake-up may be lost."""
        if subject.startswith("canonical.") and self.rng.random() < 0.8:
            for target in self.targets:
                self._wake(target)

    def _wake(self, target: str) -> None:
        for process in self.live:
            process.wake(target)

    def undecided(self) -> bool:
        """Whether a receipt is still to be decided, or its acknowledgement to be heard."""
        consumer = self.broker.consumers[topology.NORMALIZE]
        stream = self.broker.streams[topology.INTAKE]
        return bool(consumer.pending) or any(seq >= consumer.next_seq for seq in stream.messages)

    def unsettled(self) -> list[Row]:
        """Return the deliveries that are not at rest."""
        resting = ("delivered", "dead", "cancelled")
        return [row for row in self.store.rows("delivery") if row["state"] not in resting]

    def at_rest(self) -> bool:
        """Whether nothing is left to be done, by the hub or by people."""
        letters = self.store.rows("dead_letter")
        return not (
            self.sending
            or self.undecided()
            or self.store.rows("outbox")
            or self.unsettled()
            or any(row["state"] in ("open", "replaying") for row in letters)
        )

    def replay(self, tx: Transaction, letter_id: str, now: datetime) -> None:
        """Begin the replay of a dead letter, as the operator's command does."""
        sql_people.replay(tx, letter_id, now)

    def act(self, reason: str) -> Act:
        """Return an act of a person."""
        return Act("operator", reason, self.clock.now())
