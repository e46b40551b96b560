"""What a deliver role is built from; the composition root fills it in."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, Protocol

from sqlalchemy.ext.asyncio import AsyncEngine

from connectors.base import Capabilities, Client, Numbers
from hub.clock import Clock
from hub.delivery.clerk import Clerk
from hub.delivery.recovery import Policy
from hub.ledger.delivery_rows import DeliveryRow, DocumentRow
from hub.settings.model import Limits


@dataclass(frozen=True, slots=True)
class TargetSpec:
    """One target connection, as deliveries see it."""

    name: str
    client: Client
    capabilities: Capabilities
    limits: Limits = field(default_factory=Limits)
    control_scope: str | None = None
    """Where its control numbers are counted, such as ``CROSSDOCK/ACMEDIST/P``; None: it has none."""
    file_suffix: str = ".json"
    """Of the file names it is given, such as ``.x12``."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A document in the target's own words."""

    body: Mapping[str, Any]
    encoded: bytes
    mapping_version: str | None = None
    number: int = 0
    """The control number that it is written under; 0: the target counts none."""


class Renderer(Protocol):
    """Maps and encodes a document for a target: pure work, in a worker process."""

    async def render(
        self, delivery: DeliveryRow, document: DocumentRow, numbers: Numbers
    ) -> Rendered:
        """Return what is to be sent; may be called any number of times for one delivery.

        Raises:
            Rejected: the mapping or the codec refuses the document; it becomes a dead letter.
            Retryable: no worker could do it now.
            ConfigError: there is no such mapping.

        """
        ...


class Observer(Protocol):
    """Where logs, metrics and traces come from; must not raise and must not block."""

    def event(self, name: str, **facts: str | float) -> None:
        """Tell of one thing that happened.

        Names and facts (all have `target`): ``attempt`` (delivery, action, outcome, code,
        seconds), ``dead_letter`` (delivery, stage, code), ``target_halted`` (code, where),
        ``breaker`` (state), ``stale_claim`` (delivery), ``ledger_unreachable`` (error),
        ``lane_failed`` (delivery, error), ``role_failed`` (error).
        """
        ...

    def attempt(self, delivery: DeliveryRow) -> AbstractContextManager[object]:
        """Return what surrounds one try, such as a span."""
        ...


class SilentObserver:
    """Tells nobody."""

    def event(self, name: str, **facts: str | float) -> None:
        """Do nothing."""

    def attempt(self, delivery: DeliveryRow) -> AbstractContextManager[object]:  # noqa: ARG002  # protocol
        """Surround a try with nothing."""
        return nullcontext()


@dataclass(frozen=True, slots=True)
class Timing:
    """The role's own times, in seconds."""

    tick: float = 1.0
    """How often the ledger is looked at without being woken."""
    gap: float = 0.02
    """Shortest time between two looks at the ledger: a storm of wake-ups is one, and under load a
    look finds several."""
    lease: float = 9.0
    """How long a claim lasts that is not renewed: how soon others take over after a crash."""
    knock: float = 5.0
    """How often, and how long, a quiet target in trouble is asked whether it is back."""
    margin: float = 5.0
    """A claim outlasts the deadline of its call by this: nobody asks while the call may run."""
    grace: float = 10.0
    """How long a stopping role waits for what is in hand."""
    ledger: float = 10.0
    """Deadline of one transaction."""
    render: float = 30.0
    """Deadline of rendering, waiting for a worker included."""
    backoff_cap: float = 5.0
    """Longest wait between two tries to reach the ledger."""


def _nobody(target: str) -> None:
    """Wake nobody: every role finds due work by itself within a tick."""


@dataclass(frozen=True, slots=True)
class DeliverParts:
    """What all deliver roles of a hub share."""

    engine: AsyncEngine
    renderer: Renderer
    clock: Clock
    rng: random.Random
    policy: Policy = field(default_factory=Policy)
    timing: Timing = field(default_factory=Timing)
    retry_ratio: float = 0.1
    """Retries per first attempt above which retrying slows (`retry.budget`)."""
    max_deaths: int = 5
    """A delivery in whose calls this many processes died is set aside."""
    observer: Observer = field(default_factory=SilentObserver)
    archive: Callable[[bytes], Awaitable[str]] | None = None
    """Keeps the bytes that are about to be sent and returns their place."""
    unarchive: Callable[[str, str], Awaitable[bytes]] | None = None
    """Returns the bytes at a place, which have this hash; raises ``archive_damaged``."""
    woken: Callable[[str], None] = _nobody
    """Called with a target for which something has just become due."""
    clerk: Clerk = field(init=False)
    """Writes for all targets: what comes together is one transaction."""

    def __post_init__(self) -> None:
        clerk = Clerk(self.engine, self.clock, self.timing.ledger)
        object.__setattr__(self, "clerk", clerk)  # frozen for everybody else
