"""Writing the outcome of a try into the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from canonical.errors import HubError, InDoubt, Retryable
from connectors.base import Json, Settled
from hub.delivery import harmless
from hub.delivery.parts import DeliverParts, TargetSpec
from hub.delivery.persistence import Ledger
from hub.delivery.recovery import Ask, Attempt, DeadLetter, Halt, Retry, decide
from hub.failpoints import reached
from hub.fingerprint import fingerprint
from hub.ledger import settlements
from hub.ledger.delivery_rows import Answered, Claim, Ending, Letter


@dataclass(frozen=True, slots=True)
class Failure:
    """A try that an error ended."""

    claim: Claim
    n: int
    started_at: datetime
    error: HubError
    asking: bool
    doubt: bool
    """An earlier call may have taken effect, and the target has not been asked."""
    stage: str
    mapping_version: str | None
    sent: Json
    """What was sent or was to be sent; {} where it never came to that."""

    @property
    def said(self) -> str | None:
        """What the target answered in its own words, nothing of ours in them."""
        return harmless.said(self.error, self.sent)

    @property
    def throttled(self) -> bool:
        """The target is healthy and wants less."""
        return isinstance(self.error, Retryable) and self.error.throttled

    @property
    def asks_to_wait(self) -> bool:
        """The target named a time before which it wants no call at all (429 with Retry-After)."""
        return isinstance(self.error, Retryable) and bool(
            self.error.throttled and self.error.retry_after
        )

    @property
    def outcome(self) -> str:
        """The word for its `attempt` row, unless it was the last one."""
        if self.asking:
            return "ask_failed"
        if self.throttled:
            return "throttled"
        if isinstance(self.error, Retryable) and self.error.retry_after is not None:
            return "deferred"
        return "in_doubt" if isinstance(self.error, InDoubt) else "retry"


class Settler:
    """Settles the tries of one target; patient with the ledger, refused where a claim is stale."""

    def __init__(self, target: TargetSpec, parts: DeliverParts, ledger: Ledger) -> None:
        self._target = target
        self._parts = parts
        self._ledger = ledger

    async def delivered(
        self, claim: Claim, n: int, started_at: datetime, result: tuple[Settled, str]
    ) -> None:
        """Record that the target has it; `result` says how we know: ``delivered``, ``asked_found``."""
        settled, outcome = harmless.settled(result[0]), result[1]
        ending = Ending(n, outcome, started_at, self._parts.clock.now())
        woken = await self._ledger.answered(Answered(claim, ending, settled))
        if woken is None:
            self.stale(claim)
            return
        reached("deliver.settled")
        self._tell(claim, ending)
        for target in woken - {self._target.name}:
            self._parts.woken(target)

    async def failed(self, failure: Failure) -> None:
        """Decide what follows from a failed try, and record it."""
        decision = decide(failure.error, self._attempt(failure), self._parts.policy)
        match decision:
            case Retry(at):
                await self._later(failure, failure.outcome, at, doubt=failure.doubt)
            case Ask(at):
                await self._later(failure, failure.outcome, at, doubt=True)
            case Halt(until):
                error = failure.error
                self._event("target_halted", code=error.code, where=error.where)
                await self._later(failure, "halted", until, doubt=failure.doubt)
            case DeadLetter():
                await self._dead(failure, decision)

    def stale(self, claim: Claim) -> None:
        """Tell that a claim was taken over while we were away."""
        self._event("stale_claim", delivery=claim.delivery.id)

    def _attempt(self, failure: Failure) -> Attempt:
        tries, now = failure.claim.tries, self._parts.clock.now()
        counts = not failure.asking and not failure.throttled
        return Attempt(
            now=now,
            first_at=tries.first_at or failure.started_at,
            failures=tries.failures + counts,
            asks=tries.asks + failure.asking,
            asking=failure.asking,
            can_look_up=self._target.capabilities.can_look_up,
            idempotent=self._target.capabilities.idempotent,
            jitter=self._parts.rng.random(),
        )

    async def _later(self, failure: Failure, outcome: str, at: datetime, *, doubt: bool) -> None:
        why, state = harmless.why_of(failure.error), "in_doubt" if doubt else "pending"
        now = self._parts.clock.now()
        ending = Ending(failure.n, outcome, failure.started_at, now, why, failure.said)

        async def record(conn: AsyncConnection) -> bool:
            if failure.asks_to_wait:
                await settlements.leave_alone(conn, self._target.name, at)
            return await settlements.settle_later(conn, failure.claim, ending, state, at)

        self._finish(failure.claim, ending, done=await self._ledger.surely(record))

    async def _dead(self, failure: Failure, why: DeadLetter) -> None:
        now = self._parts.clock.now()
        reason = harmless.why(why.code, why.where, why.detail)
        ending = Ending(failure.n, "dead", failure.started_at, now, reason, failure.said)
        version = failure.mapping_version
        mark = fingerprint(failure.stage, why.code, why.where, self._target.name, version)
        letter = Letter(failure.stage, mark, version)
        done = await self._ledger.surely(
            lambda conn: settlements.settle_dead(conn, failure.claim, ending, letter)
        )
        self._finish(failure.claim, ending, done=done)
        if done:
            delivery = failure.claim.delivery.id
            self._event("dead_letter", delivery=delivery, stage=failure.stage, code=why.code)

    def _finish(self, claim: Claim, ending: Ending, *, done: bool) -> None:
        if not done:
            self.stale(claim)
            return
        reached("deliver.settled")
        self._tell(claim, ending)

    def _tell(self, claim: Claim, ending: Ending) -> None:
        self._event(
            "attempt",
            delivery=claim.delivery.id,
            action=claim.delivery.action,
            outcome=ending.outcome,
            code=ending.why.code if ending.why else "",
            seconds=(ending.ended_at - ending.started_at).total_seconds(),
        )

    def _event(self, name: str, **facts: str | float) -> None:
        self._parts.observer.event(name, target=self._target.name, **facts)
