"""A simulated target: what it does on its own side is its journal, which no crash of ours touches."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from canonical.errors import ConfigError, HubError, InDoubt, Rejected, Retryable
from connectors.base import Capabilities, Outbound, Settled

TIMEOUT_SECONDS = 20.0
"""How long a call may take; a target that is slow applies within that time, if at all."""
RETRY_AFTER = 25.0

MODES = (
    "ok", "server_error", "throttled", "reset_before", "reset_after", "slow", "late", "hangs",
    "twice", "question_refused", "misconfigured",
)  # fmt: skip


class Effect(NamedTuple):
    """One thing that took effect at a target."""

    at: float
    delivery: str
    action: str
    document: str
    business_key: str
    version: int
    by_itself: bool
    """The target applied a call a second time of its own accord."""


class Seen(NamedTuple):
    """One call as it came in."""

    at: float
    answered: float
    delivery: str
    process: str
    answer: str
    """``ok``, the code that it was answered with, or ``asked``: it was a question, and answered."""


class Caller(Protocol):
    """The process that calls."""

    name: str

    async def step(self) -> None:
        """Let a moment pass."""
        ...


@dataclass
class Target:
    """One target with its journal and its moods."""

    name: str
    can: Capabilities
    loop: asyncio.AbstractEventLoop
    rng: random.Random
    tell: Callable[..., None]
    moods: list[tuple[float, float, str]] = field(default_factory=list)
    """(from, until, mode); outside of all of them it is well, apart from single mishaps."""
    mishaps: float = 0.1
    """Share of calls that go wrong by themselves while faults are on."""
    refuses: set[str] = field(default_factory=set)
    """Documents that it will never take."""
    effects: list[Effect] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    until: float = 0.0
    """When single mishaps end."""

    def mode(self) -> str:
        """Return how a call fares that comes now."""
        now = self.loop.time()
        for start, end, mode in self.moods:
            if start <= now < end:
                return mode
        if now < self.until and self.rng.random() < self.mishaps:
            return self.rng.choice(MODES[3:-2])
        return "ok"

    def has(self, delivery: str) -> bool:
        """Whether a delivery has taken effect."""
        return any(effect.delivery == delivery for effect in self.effects)

    def apply(self, outbound: Outbound, *, again: bool = False) -> None:
        """Let a call take effect."""
        if self.can.idempotent and self.has(outbound.id):
            return
        body = outbound.body
        self.effects.append(
            Effect(
                self.loop.time(),
                outbound.id,
                outbound.action,
                body["document"],
                body["key"],
                body["version"],
                again,
            )
        )
        self.tell(
            "effect", self.name, body["name"], f"v{body['version']}", "again" if again else ""
        )


@dataclass
class TargetClient:
    """One process's client of a target: translates what happens into errors by action."""

    target: Target
    process: Caller

    async def deliver(self, outbound: Outbound) -> Settled:
        """Send; see `connectors.base.Client`."""
        await self.process.step()
        target = self.target
        mode, name = target.mode(), outbound.body["name"]
        if name in target.refuses:
            mode = "refused"
        error = _ERRORS.get(mode)
        code = error.code if isinstance(error, HubError) else "ok"
        takes, now = self._takes(mode), target.loop.time()
        target.seen.append(Seen(now, now + takes, outbound.id, self.process.name, code))
        target.tell("call", target.name, name, f"v{outbound.body['version']}", mode)
        answered: asyncio.Future[None] = target.loop.create_future()
        self._receive(mode, outbound, takes, answered)
        await answered
        await self.process.step()
        if error is not None:
            raise _again(error)
        return Settled(f"{target.name}-{outbound.id[:8]}")

    def _takes(self, mode: str) -> float:
        """Return how long the target works on a call."""
        rng = self.target.rng
        if mode == "late":
            return rng.uniform(1.0, TIMEOUT_SECONDS - 1.0)
        return rng.choice((0.1, 0.5, 4.0)) * rng.random()

    def _receive(
        self, mode: str, outbound: Outbound, takes: float, answered: asyncio.Future[None]
    ) -> None:
        """The call is at the target now: it takes its course, whatever becomes of the caller."""
        target, loop = self.target, self.target.loop
        applies = mode in ("ok", "reset_after", "slow", "late", "twice", "question_refused")
        if applies:
            loop.call_later(takes, target.apply, outbound)
        if mode == "twice":
            loop.call_later(takes, lambda: target.apply(outbound, again=True))
        if mode not in ("slow", "hangs"):
            loop.call_later(takes + 0.01, _answer, answered)

    async def look_up(self, outbound: Outbound) -> Settled | None:
        """Ask by our reference; see `connectors.base.Client`."""
        await self.process.step()
        target = self.target
        mode = target.mode()
        if mode in ("server_error", "throttled", "misconfigured"):
            raise _again(_ERRORS[mode])
        if mode == "question_refused":
            raise Rejected("forbidden", "GET", "it may not be read")
        if mode == "hangs":
            await asyncio.sleep(10 * TIMEOUT_SECONDS)
        await self.process.step()
        now = target.loop.time()
        target.seen.append(Seen(now, now, outbound.id, self.process.name, "asked"))
        there = target.has(outbound.id)
        target.tell(
            "asked", target.name, outbound.body.get("name", ""), "there" if there else "not"
        )
        return Settled(f"{target.name}-{outbound.id[:8]}") if there else None

    async def close(self) -> None:
        """Nothing to close."""


def _answer(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


_ERRORS: dict[str, HubError] = {
    "server_error": Retryable("server_error", "POST", "it is down"),
    "throttled": Retryable("throttled", "POST", "less", retry_after=RETRY_AFTER, throttled=True),
    "reset_before": InDoubt("connection_reset", "POST", "the answer was lost"),
    "reset_after": InDoubt("connection_reset", "POST", "the answer was lost"),
    "question_refused": InDoubt("connection_reset", "POST", "the answer was lost"),
    "misconfigured": ConfigError("key_refused", "options", "the key is not accepted"),
    "refused": Rejected("item_unknown", "lines[0]", "it has no such item"),
}


def _again(error: HubError) -> HubError:
    """Return a new error like this one: a raised exception is not raised twice."""
    kind: Any = type(error)
    if isinstance(error, Retryable):
        said = {"retry_after": error.retry_after, "throttled": error.throttled}
        return Retryable(error.code, error.where, error.detail, **said)  # type: ignore[arg-type]
    return kind(error.code, error.where, error.detail)  # type: ignore[no-any-return]
