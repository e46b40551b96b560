"""What follows from a failed try: one pure function, and the only place where it is decided.

=============  ==================================  =========================================
error          while sending                       while asking (the delivery was in doubt)
=============  ==================================  =========================================
Retryable      Retry, until the waits run out      Ask again
 throttled     Retry, until `give_up_after`        Ask again
InDoubt        Ask; Retry where idempotent         Ask again
Rejected       DeadLetter                          DeadLetter ``in_doubt_unanswerable``
ConfigError    Halt                                Halt
=============  ==================================  =========================================

A delivery in doubt at a target that cannot be asked is a DeadLetter ``in_doubt_unanswerable``, and
so is one whose question found no answer for `give_up_after`. Codes of this module:
``in_doubt_unanswerable``; all others are those of the error.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from canonical.errors import ConfigError, HubError, InDoubt, Rejected, Retryable

UNANSWERABLE = "in_doubt_unanswerable"


@dataclass(frozen=True, slots=True)
class Policy:
    """How long to go on. `delays_seconds` is the site's `retry.delays_seconds`."""

    delays_seconds: tuple[float, ...] = (2, 10, 60, 300, 1800, 7200)
    retry_after_cap_seconds: float = 3600
    """A target cannot park a delivery for longer than this with one Retry-After."""
    give_up_after_seconds: float = 86_400
    """For what is not counted: throttling, and asking without an answer."""
    ask_delays_seconds: tuple[float, ...] = (1, 5, 30, 120, 600)
    """Not at once: a target that is slow may still be working on what we gave up waiting for."""
    halt_seconds: float = 60
    """How long a target rests whose configuration is wrong, before one delivery tries again."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """Where a delivery stands when an error ends one of its tries, this one included."""

    now: datetime
    first_at: datetime
    """When its first try began."""
    failures: int
    """Tries that failed while sending; throttled ones are not counted."""
    asks: int
    """How often it was in doubt and the question brought no answer."""
    asking: bool
    """The error came from the question, not from sending."""
    can_look_up: bool
    idempotent: bool
    jitter: float
    """A random number from [0, 1)."""


@dataclass(frozen=True, slots=True)
class Retry:
    """Nothing took effect: send again, not before `at`."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Ask:
    """It may have taken effect: ask the target by our reference, not before `at`."""

    at: datetime


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """It cannot go on; a person or a replay takes over."""

    code: str
    where: str
    detail: str


@dataclass(frozen=True, slots=True)
class Halt:
    """The hub is set up wrongly for this target: pause it, lose nothing, say so."""

    until: datetime


Decision = Retry | Ask | DeadLetter | Halt


def decide(error: HubError, attempt: Attempt, policy: Policy) -> Decision:
    """Decide what follows from `error`; the table above."""
    if isinstance(error, ConfigError):
        return Halt(attempt.now + timedelta(seconds=policy.halt_seconds))
    if attempt.asking or (isinstance(error, InDoubt) and not attempt.idempotent):
        return _in_doubt(error, attempt, policy)
    if isinstance(error, Rejected):
        return DeadLetter(error.code, error.where, error.detail)
    if isinstance(error, Retryable) and error.throttled:
        return _throttled(error, attempt, policy)
    if used_up(attempt.failures, policy):
        tries = f"gave up after {attempt.failures} tries"
        return DeadLetter(error.code, error.where, f"{tries}; {error.detail}".rstrip("; "))
    return Retry(_at(error, attempt, policy))


def used_up(failures: int, policy: Policy) -> bool:
    """Return whether a delivery that failed so often while sending may not be sent again."""
    return failures > len(policy.delays_seconds)


def _in_doubt(error: HubError, attempt: Attempt, policy: Policy) -> Decision:
    if not attempt.can_look_up:
        detail = "the answer was lost and the target cannot be asked"
        return DeadLetter(UNANSWERABLE, error.where, detail)
    if isinstance(error, Rejected):
        return DeadLetter(UNANSWERABLE, error.where, f"the question was refused: {error.code}")
    if _too_old(attempt, policy):
        return DeadLetter(UNANSWERABLE, error.where, f"no answer in time: {error.code}")
    asked = _retry_after(error, policy)
    if asked is not None:
        return Ask(attempt.now + asked)
    delay = _pick(policy.ask_delays_seconds, attempt.asks + max(attempt.failures - 1, 0))
    # Equal jitter: half of the wait always passes, so that the target has its time.
    return Ask(attempt.now + timedelta(seconds=delay * (0.5 + attempt.jitter / 2)))


def _throttled(error: HubError, attempt: Attempt, policy: Policy) -> Decision:
    if _too_old(attempt, policy):
        return DeadLetter(error.code, error.where, "throttled for too long")
    return Retry(_at(error, attempt, policy))


def _at(error: HubError, attempt: Attempt, policy: Policy) -> datetime:
    """Retry-After wins; else full jitter over the wait of this try."""
    asked = _retry_after(error, policy)
    if asked is not None:
        return attempt.now + asked
    delay = _pick(policy.delays_seconds, max(attempt.failures - 1, 0))
    return attempt.now + timedelta(seconds=delay * attempt.jitter)


def _retry_after(error: HubError, policy: Policy) -> timedelta | None:
    if not isinstance(error, Retryable) or error.retry_after is None:
        return None
    seconds = error.retry_after if error.retry_after > 0 else 0.0  # NaN is not > 0 either
    return timedelta(seconds=min(seconds, policy.retry_after_cap_seconds))


def _too_old(attempt: Attempt, policy: Policy) -> bool:
    return (attempt.now - attempt.first_at).total_seconds() >= policy.give_up_after_seconds


def _pick(delays: tuple[float, ...], index: int) -> float:
    return delays[min(index, len(delays) - 1)] if delays else 0.0
