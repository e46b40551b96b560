"""One try of one delivery: render, ask if in doubt, call, settle.

Codes that arise here, beside those of the client, the mapping and `recovery`:

====================  ===============================================================
``document_missing``  the ledger has no document for the delivery
``render_timeout``    no worker rendered it in time
``render_failed``     the renderer broke (a bug: the detail names the exception's type)
``answer_lost``       in doubt at a target that cannot be asked
``look_up_timeout``   the question was not answered in time
``look_up_failed``    the client broke while asking (a bug)
``deliver_timeout``   the call was not answered in time: in doubt
``deliver_failed``    the client broke while calling (a bug): in doubt
``process_died``      processes died in its calls, again and again
``tries_used_up``     in doubt as often as may be, and never found at the target
====================  ===============================================================

``archive_unavailable`` (the bytes could not be kept, so nothing was sent) is retried. What is sent
again because a partner lost it are the archived bytes; they may be ``archive_damaged``.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from canonical.errors import ConfigError, HubError, InDoubt, Rejected, Retryable
from connectors.base import Json, Knocking, Numbers, Outbound, Settled
from hub.delivery.clerk import ToBegin
from hub.delivery.health import Health, Leave
from hub.delivery.outbound import NOTHING, outbound, unnumbered
from hub.delivery.parts import DeliverParts, Rendered, TargetSpec
from hub.delivery.persistence import Ledger
from hub.delivery.recovery import used_up
from hub.delivery.settling import Failure, Settler
from hub.failpoints import reached
from hub.ledger import control_numbers, resend, settlements
from hub.ledger.control_numbers import Numbering
from hub.ledger.delivery_rows import Claim, DeliveryRow, DocumentRow


class _StaleError(Exception):
    """Somebody else holds the delivery now."""


class _PausedError(Exception):
    """The breaker opened between the claim and the call."""


@dataclass(slots=True)
class Hand:
    """A delivery in hand and how far its try has come."""

    claim: Claim
    leave: Leave
    started_at: datetime
    called: bool = False
    doubt: bool = field(init=False)
    """An earlier call may have taken effect, and nobody has asked yet."""
    asking: bool = False
    stage: str = "map"
    mapping_version: str | None = None
    refusal: Rejected | None = None
    number: int = 0
    """The control number that it has; 0: none yet, or its target counts none."""
    sent: Json = field(default_factory=dict)
    """The document in the target's words, once it is rendered."""

    def __post_init__(self) -> None:
        self.doubt = self.claim.in_doubt

    @property
    def n(self) -> int:
        """Which try of the delivery this is, from 1."""
        return self.claim.delivery.attempts + 1


class Courier:
    """Carries claimed deliveries of one target to their outcome."""

    def __init__(self, target: TargetSpec, parts: DeliverParts, health: Health) -> None:
        self._target = target
        self._parts = parts
        self._health = health
        self._ledger = Ledger(target.name, parts)
        self._settler = Settler(target, parts, self._ledger)

    async def carry(self, hand: Hand) -> None:
        """Make one try and settle it; returns once the ledger knows the outcome."""
        try:
            settled, outcome = await self._deliver(hand)
        except _StaleError:
            self._health.unused(hand.leave)
            self._settler.stale(hand.claim)
        except _PausedError:
            now = self._parts.clock.now()
            await self._ledger.surely(
                lambda conn: settlements.put_back(conn, [hand.claim], now, now)
            )
        except HubError as error:
            await self._fail(hand, error)
        else:
            self._health.answered(hand.leave)
            await self._settler.delivered(hand.claim, hand.n, hand.started_at, (settled, outcome))

    async def knock(self, row: DeliveryRow) -> None:
        """Ask for a delivery that only waits for the target, to learn whether the target is back.

        Asking has no effect there, and is no try of the delivery.
        """
        leave, question = Leave(), self._question(row)
        if question is None or not self._health.begin(leave):
            return
        limit = min(self._parts.timing.knock, self._target.limits.timeout_seconds)
        try:
            async with asyncio.timeout(limit):
                told = await question()
        except Retryable as error:
            if error.throttled:
                self._health.throttled(leave, error.retry_after)
            else:
                self._health.unanswered(leave)
        except (InDoubt, TimeoutError):
            self._health.unanswered(leave)
        except Exception:  # whatever it says of the question, it was there to say it; or a bug
            self._health.unused(leave)
        else:
            (self._health.heard if told else self._health.unused)(leave)

    def _question(self, row: DeliveryRow) -> Callable[[], Awaitable[bool]] | None:
        """Return what asks the target itself; it says whether that tells that it is back."""
        can, client = self._target.capabilities, self._target.client

        async def look_up() -> bool:
            await client.look_up(outbound(row, self._target, NOTHING))
            return True

        if can.can_look_up and not can.looks_up_itself:
            return look_up
        return client.knock if isinstance(client, Knocking) else None

    async def _deliver(self, hand: Hand) -> tuple[Settled, str]:
        ready = await self._prepare(hand)
        if self._must_ask(hand):
            found = await self._ask(hand, ready)
            if found is not None:
                return found, "asked_found"
        if hand.refusal is not None:
            hand.stage = "map"
            raise hand.refusal
        await self._begin(hand, ready)
        return await self._call(ready), "delivered"

    def _must_ask(self, hand: Hand) -> bool:
        can = self._target.capabilities
        return hand.doubt and (not can.idempotent or (hand.refusal is not None and can.can_look_up))

    async def _prepare(self, hand: Hand) -> Outbound:
        """Render; a refused document that is in doubt is still asked about."""
        delivery = hand.claim.delivery
        try:
            rendered = await self._render(hand)
        except Rejected as refusal:
            if not hand.doubt:
                await self._give_back(hand)
                raise
            hand.refusal = refusal
            rendered = replace(NOTHING, number=hand.number)
        hand.mapping_version = rendered.mapping_version
        hand.stage = "deliver"
        hand.sent = dict(rendered.body)
        return outbound(delivery, self._target, rendered)

    async def _render(self, hand: Hand) -> Rendered:
        document = hand.claim.document
        if document is None:
            raise Rejected("document_missing", "", "the ledger has no such document")
        sent_before = await self._sent_before(hand.claim.delivery)
        if sent_before is not None:
            return Rendered({}, sent_before)
        numbers = await self._numbers(hand)
        hand.number = numbers.interchange
        try:
            async with asyncio.timeout(self._parts.timing.render):
                return await self._rendered(hand, document, numbers)
        except TimeoutError:
            raise Retryable("render_timeout", "", "no worker rendered it in time") from None

    async def _sent_before(self, delivery: DeliveryRow) -> bytes | None:
        """Return the archived bytes of an interchange that is sent again; None: it is written."""
        numbered = self._target.control_scope is not None
        if not (numbered and self._parts.unarchive and resend.is_resend(delivery.occasion)):
            return None
        kept = await self._ledger.surely(lambda conn: resend.kept(conn, delivery.id))
        return None if kept is None else await self._parts.unarchive(kept.place, kept.sha256)

    async def _rendered(self, hand: Hand, document: DocumentRow, numbers: Numbers) -> Rendered:
        try:
            return await self._parts.renderer.render(hand.claim.delivery, document, numbers)
        except (HubError, TimeoutError):
            raise
        except Exception as error:  # a bug there must not end the lane here
            raise Retryable("render_failed", "", type(error).__name__) from error

    async def _numbers(self, hand: Hand) -> Numbers:
        delivery, scope = hand.claim.delivery, self._target.control_scope
        if scope is None:
            return unnumbered(delivery)
        return await self._ledger.number(_numbering(scope, hand))

    async def _give_back(self, hand: Hand) -> None:
        """What cannot be written needs no number: the next document is to follow without a hole."""
        scope = self._target.control_scope
        if scope is None or not hand.number:
            return
        mine, claim = _numbering(scope, hand), hand.claim
        await self._ledger.surely(
            lambda conn: control_numbers.give_back(conn, mine, claim.delivery.id, claim.token)
        )
        hand.number = 0

    async def _ask(self, hand: Hand, ready: Outbound) -> Settled | None:
        hand.asking = True
        if not self._target.capabilities.can_look_up:
            raise InDoubt("answer_lost", "", "the target cannot be asked")
        if not self._health.begin(hand.leave):
            raise _PausedError
        try:
            async with asyncio.timeout(self._target.limits.timeout_seconds):
                found = await self._target.client.look_up(ready)
        except TimeoutError:
            raise Retryable("look_up_timeout", "", "the question was not answered") from None
        except HubError:
            raise
        except Exception as error:  # a client's bug; asking has no effect, so ask again later
            raise Retryable("look_up_failed", "", type(error).__name__) from error
        self._health.heard(hand.leave)
        hand.asking = hand.doubt = False
        return found

    async def _begin(self, hand: Hand, ready: Outbound) -> None:
        """Put the doubt on record before the call: whatever dies from here on, it is asked about."""
        self._check_history(hand)
        place = await self._archived(ready.encoded)
        if not self._health.begin(hand.leave):
            raise _PausedError
        sha256 = hashlib.sha256(ready.encoded).hexdigest()
        await self._lease_call(hand, sha256, place)
        hand.called, hand.doubt = True, False
        reached("deliver.before_call")

    def _check_history(self, hand: Hand) -> None:
        tries = hand.claim.tries
        if tries.deaths >= self._parts.max_deaths:
            raise Rejected("process_died", "", f"in {tries.deaths} calls of it")
        if used_up(tries.failures, self._parts.policy):
            raise Rejected("tries_used_up", "", f"sent {tries.failures} times, never found there")

    async def _archived(self, body: bytes) -> str | None:
        if self._parts.archive is None:
            return None
        try:
            return await self._parts.archive(body)
        except OSError as error:
            raise Retryable("archive_unavailable", "", type(error).__name__) from error

    async def _lease_call(self, hand: Hand, sha256: str, place: str | None) -> None:
        """Lease the delivery for the whole of its call, counted from when the call begins.

        The ledger may have been away in between, or this process stopped: a lease from before
        would end, and others ask and send, while our call still runs. Then it is leased anew.
        """
        timing, clock = self._parts.timing, self._parts.clock
        longest = timedelta(seconds=self._target.limits.timeout_seconds + timing.margin)
        entry = ToBegin(hand.claim, hand.n, hand.started_at, longest, sha256, place)
        while True:
            leased = await self._ledger.begin(entry)
            if leased is None:
                raise _StaleError
            if clock.monotonic() - leased < timing.margin / 2:
                return

    async def _call(self, ready: Outbound) -> Settled:
        try:
            async with asyncio.timeout(self._target.limits.timeout_seconds):
                settled = await self._target.client.deliver(ready)
        except TimeoutError:
            raise InDoubt("deliver_timeout", "", "the call was not answered in time") from None
        except HubError:
            raise
        except Exception as error:  # a client's bug: nobody knows what it had done by then
            raise InDoubt("deliver_failed", "", type(error).__name__) from error
        reached("deliver.after_call")
        return settled

    async def _fail(self, hand: Hand, error: HubError) -> None:
        self._tell_health(hand, error)
        await self._settler.failed(
            Failure(
                claim=hand.claim,
                n=hand.n,
                started_at=hand.started_at,
                error=error,
                asking=hand.asking,
                doubt=hand.doubt,
                stage=hand.stage,
                mapping_version=hand.mapping_version,
                sent=hand.sent,
            )
        )

    def _tell_health(self, hand: Hand, error: HubError) -> None:
        match error:
            case Retryable(throttled=True):
                self._health.throttled(hand.leave, error.retry_after)
            case InDoubt(code="mdn_awaited"):  # it took the call; its receipt comes later
                self._health.answered(hand.leave)
            case Retryable() | InDoubt():
                self._health.failed(hand.leave)
            case ConfigError():
                self._health.unused(hand.leave)
                self._health.halt(self._parts.policy.halt_seconds)
            case _:
                self._health.answered(hand.leave)


def _numbering(scope: str, hand: Hand) -> Numbering:
    of = hand.claim.delivery
    key = control_numbers.key_of(of.reference, of.action, of.version)
    return Numbering(scope, key, of.target, hand.started_at)
