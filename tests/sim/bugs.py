"""Planted bugs: each is one that integration software is known to have, and the simulation must see.

A simulation that cannot fail proves nothing. Every bug replaces one rule of the hub (or of the
ledger's model, where the rule is SQL) for a run; `tests/sim/test_bugs.py` demands that the seeds of
CI catch each of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import hub.delivery.courier
import hub.delivery.settling
import hub.normalize.decide
import hub.normalize.rows
import hub.pipeline
import hub.release.holds
from canonical.errors import HubError, InDoubt, Retryable
from canonical.verdict import Verdict, judge
from hub.delivery import recovery
from hub.delivery.breaker import Breaker
from hub.delivery.courier import Courier
from hub.delivery.limiter import Limiter
from hub.delivery.recovery import Attempt, Decision, Policy, Retry, decide
from hub.events import Event
from hub.ids import derived_id
from hub.ledger import calls, inbox, keys, settlements
from hub.ledger.delivery_rows import Call, Calling, Claim, Wanted
from hub.ledger.keys import KeyState
from hub.relay import Relay
from tests.sim import sql_decide, sql_deliver, sql_people
from tests.sim.nats_client import Runner
from tests.sim.run import Bug
from tests.sim.seam import Patch
from tests.sim.tables import Row, Transaction
from tests.sim.world import Switches


def _decides(rule: Callable[[HubError, Attempt, Policy], Decision]) -> Sequence[Patch]:
    return [(hub.delivery.settling, "decide", rule)]


def _blindly(error: HubError, attempt: Attempt, policy: Policy) -> Decision:
    if isinstance(error, InDoubt):
        return Retry(attempt.now + timedelta(seconds=5))
    return decide(error, attempt, policy)


def _at_once(error: HubError, attempt: Attempt, policy: Policy) -> Decision:
    found = decide(error, attempt, policy)
    return Retry(attempt.now) if isinstance(found, Retry) else found


def _throttled_is_failed(error: HubError, attempt: Attempt, policy: Policy) -> Decision:
    if isinstance(error, Retryable) and error.throttled:
        error = Retryable(error.code, error.where, error.detail)
        attempt = replace(attempt, failures=attempt.failures + 5)
    return decide(error, attempt, policy)


def _begins(change: Callable[[Transaction, Row], None]) -> Sequence[Patch]:
    async def begin(tx: Transaction, begun: Sequence[Calling]) -> list[bool]:
        done = await sql_deliver.begin(tx, begun)
        for one, ours in zip(begun, done, strict=True):
            row = tx.get("delivery", one.claim.delivery.id)
            if ours and row is not None:
                change(tx, row)
        return done

    return [(calls, "begin", begin)]


def _not_in_doubt(tx: Transaction, row: Row) -> None:
    tx.change("delivery", row, state="in_flight")


def _already_delivered(tx: Transaction, row: Row) -> None:
    tx.change("delivery", row, state="delivered", claimed_until=None)


def _leased_too_short(tx: Transaction, row: Row) -> None:
    tx.change("delivery", row, claimed_until=row["claimed_until"] - timedelta(seconds=24))


def _judges(turn: dict[Verdict, Verdict]) -> Sequence[Patch]:
    def judged(**given: Any) -> Verdict:
        found = judge(**given)
        return turn.get(found, found)

    return [(hub.normalize.decide, "judge", judged)]


def _by_key_alone() -> Sequence[Patch]:
    def duplicate_of_key(**given: Any) -> Verdict:
        known = given["known"] is not None and given["known"].in_force
        return Verdict.DUPLICATE if known else judge(**given)

    return [(hub.normalize.decide, "judge", duplicate_of_key)]


def _event_of_key() -> Sequence[Patch]:
    def event_id(key: str, content: str, verb: str, version: int) -> str:
        del content, verb, version
        return derived_id("event", key)

    return [
        (hub.normalize.rows, "make_event_id", event_id),
        (hub.release.holds, "event_id", event_id),
    ]


def _remembered_first() -> Sequence[Patch]:
    async def admit(tx: Transaction, rows: Sequence[Row]) -> set[str]:
        new = await sql_decide.admit(tx, rows)
        tx.keep()
        return new

    return [(inbox, "admit", admit)]


def _forgotten_first() -> Sequence[Patch]:
    async def publish(self: Any, events: list[Event]) -> None:
        try:
            async with self._engine.begin() as ledger:
                await sql_decide.forget(ledger, [event.event_id for event in events])
            await self._publisher.publish([event.outgoing() for event in events])
        except (Retryable, OSError):
            return

    return [(Relay, "_publish", publish)]


def _unfenced() -> Sequence[Patch]:
    def mine(tx: Transaction, held: Claim) -> Row | None:
        return tx.get("delivery", held.delivery.id)

    return [(sql_deliver, "_mine", mine)]


def _dead_is_no_obstacle() -> Sequence[Patch]:
    def stands(tx: Transaction, other: Row) -> bool:
        return other["state"] != "dead" and _STANDS(tx, other)

    return [(sql_deliver, "stands_in_the_way", stands)]


_STANDS = sql_deliver.stands_in_the_way


def _no_gate() -> Sequence[Patch]:
    return [
        (sql_deliver, "behind", lambda _tx, _mine, _other: False),
        (sql_deliver, "has_the_turn", lambda _mine, _other: False),
    ]


def _after_is_ignored() -> Sequence[Patch]:
    obstacle = sql_deliver._obstacle  # noqa: SLF001  # what a bug replaces is private

    def found(tx: Transaction, mine: Row) -> list[tuple[str, str]]:
        return obstacle(tx, mine | {"after_target": None})

    return [(sql_deliver, "_obstacle", found)]


def _claims_are_no_claims() -> Sequence[Patch]:
    due = sql_deliver._due  # noqa: SLF001

    def everything(tx: Transaction, wanted: Wanted, now: datetime) -> list[Row]:
        found = due(tx, wanted, now)
        known = {row["id"] for row in found}
        claimed = [
            row
            for row in due(tx, wanted, now + timedelta(hours=1))
            if row["claimed_until"] is not None and row["id"] not in known
        ]
        return found + claimed

    return [(sql_deliver, "_due", everything)]


def _nobody_is_woken() -> Sequence[Patch]:
    def wake(tx: Transaction, held: Claim, now: datetime) -> frozenset[str]:
        del tx, held, now
        return frozenset()

    return [
        (sql_deliver, "_wake", wake),
        (sql_deliver, "again_at", lambda _name, _created_at, now: now + timedelta(days=30)),
    ]


def _letters_are_lost() -> Sequence[Patch]:
    async def settle_dead(tx: Transaction, held: Claim, ending: Any, letter: Any) -> bool:
        done = await sql_deliver.settle_dead(tx, held, ending, letter)
        tx.drop("dead_letter", sql_deliver.letter_row(held, ending, letter)["id"])
        return done

    return [(settlements, "settle_dead", settle_dead)]


def _nothing_is_adopted() -> Sequence[Patch]:
    async def adopt(*given: Any) -> list[Event]:
        del given
        return []

    return [(hub.pipeline, "adopt_parked", adopt), (hub.release.holds, "adopt_parked", adopt)]


def _held_is_not_seen() -> Sequence[Patch]:
    async def lock(tx: Transaction, names: Any, now: datetime) -> dict[str, KeyState]:
        heads = await sql_decide.lock(tx, names, now)
        for head in heads.values():
            head.held = False
        return heads

    return [(keys, "lock", lock)]


def _leased_before() -> Sequence[Patch]:
    async def lease_call(self: Any, hand: Any, sha256: str, place: str | None) -> None:
        seconds = self._target.limits.timeout_seconds + self._parts.timing.margin
        until = self._parts.clock.now() + timedelta(seconds=seconds)
        one = Calling(hand.claim, Call(hand.n, hand.started_at, until, sha256, place))
        begun = await self._ledger.surely(lambda conn: calls.begin(conn, [one]))
        if not begun[0]:
            raise hub.delivery.courier._StaleError  # noqa: SLF001

    return [(Courier, "_lease_call", lease_call)]


def _never_closes() -> Sequence[Patch]:
    return [(Breaker, "succeeded", lambda _self, _permit: None)]


def _retry_after_unheard() -> Sequence[Patch]:
    return [
        (Limiter, "throttled", lambda _self, _now, _after: None),
        (recovery, "_retry_after", lambda _error, _policy: None),
    ]


BUGS = (
    Bug("ack_before_commit", "receipts are acknowledged before they are decided",
        lambda: [(Runner, "acks_first", True)]),
    Bug("remembered_first", "the inbox row is committed before what follows from it",
        _remembered_first),
    Bug("no_in_doubt", "a call is not put in doubt before it is made", lambda: _begins(_not_in_doubt)),
    Bug("delivered_first", "a delivery is called delivered before the call",
        lambda: _begins(_already_delivered)),
    Bug("blind_resend", "a lost answer is followed by sending again", lambda: _decides(_blindly)),
    Bug("blind_replay", "a replay sends again what may be there",
        lambda: [(sql_people, "may_be_there", lambda _tx, _id: False)]),
    Bug("lease_too_short", "a lease ends before its call does", lambda: _begins(_leased_too_short)),
    Bug("lease_from_before", "a lease counts from before the ledger's outage", _leased_before),
    Bug("claims_ignored", "what another process has claimed is claimed again",
        _claims_are_no_claims),
    Bug("no_fencing", "whoever comes back late still settles", _unfenced),
    Bug("no_key_gate", "versions of a key do not wait for one another", _no_gate),
    Bug("gate_skips_dead", "a change overtakes its dead original", _dead_is_no_obstacle),
    Bug("held_unseen", "a change overtakes its held original", _held_is_not_seen),
    Bug("after_ignored", "the second target does not wait for the first", _after_is_ignored),
    Bug("stale_applied", "an old change is applied after a newer one",
        lambda: _judges({Verdict.STALE: Verdict.CHANGE})),
    Bug("conflict_applied", "an original that came again with other content just replaces",
        lambda: _judges({Verdict.CONFLICT: Verdict.CHANGE})),
    Bug("key_is_identity", "whatever comes under a known key is a duplicate", _by_key_alone),
    Bug("message_id_is_key", "events carry the business key as their message id", _event_of_key),
    Bug("no_dedupe_window", "the broker forgets message ids at once",
        switches=lambda: Switches(window=0.0)),
    Bug("outbox_forgotten_first", "events leave the outbox before they are published",
        _forgotten_first),
    Bug("max_deliver", "a message is given out once and then no more",
        switches=lambda: Switches(max_deliver=1)),
    Bug("nothing_adopted", "parked changes are not let go when their original comes",
        _nothing_is_adopted),
    Bug("nobody_woken", "what waits for a delivery is not woken when it settles", _nobody_is_woken),
    Bug("letters_lost", "a delivery dies without a dead letter", _letters_are_lost),
    Bug("retry_at_once", "a failed call is repeated without a wait", lambda: _decides(_at_once)),
    Bug("retry_after_unheard", "what a target says of its own pace is not heeded",
        _retry_after_unheard),
    Bug("throttled_is_failed", "being asked to wait counts as a failure",
        lambda: _decides(_throttled_is_failed)),
    Bug("no_rate_limit", "calls are made as fast as they come",
        lambda: [(Limiter, "room", lambda _self, _now: 1000)]),
    Bug("breaker_stays_open", "a breaker never closes again", _never_closes),
)  # fmt: skip
