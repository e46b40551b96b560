"""The invariants of a run, told from the journals of the targets and the rows of the ledger."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

import orjson

from hub import topology
from hub.delivery.recovery import UNANSWERABLE
from tests.sim.process import LIMITS, MOST_SKEW, POLICY
from tests.sim.target import RETRY_AFTER, Effect, Target

if TYPE_CHECKING:
    from tests.sim.tables import Row
    from tests.sim.world import World

ENDS = frozenset({"delivered", "held", "dead", "duplicate", "rejected"})
"""Exactly one of these becomes of every document whose sender heard yes."""
_IN_HAND = 2.0
"""Calls that were prepared when the target said "too many" may still go out."""
_FIRST_WAIT = POLICY.delays_seconds[0] / 2 - 2 * MOST_SKEW
"""Half of the first wait always passes; the clocks of two machines may differ."""


def check(world: World) -> list[str]:
    """Return every way in which the run broke a promise, in plain words."""
    return [
        *(f"a task of the hub ended: {each}" for each in world.broken),
        *_ended(world),
        *_judged(world),
        *_once(world),
        *_in_order(world),
        *_agrees(world),
        *_published(world),
        *_paced(world),
        *_accounted(world),
    ]


def _received(world: World) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in world.store.rows("document"):
        if row["state"] != "superseded":
            found[row["receipt_id"]].append(row)
    return found


def _ended(world: World) -> Iterator[str]:
    """I1: every acknowledged document ends in exactly one of `ENDS`."""
    received = _received(world)
    replays = _replays(world)
    for receipt_id, body in set(world.acknowledged):
        line = [receipt_id, *replays[receipt_id]]
        rows = [row for each in line for row in received[each]]
        for position, letter in enumerate(world.load.letters[body]):
            mine = [row for row in rows if row["position"] == position]
            if len(mine) != 1:
                yield f"lost or doubled: {letter.name} of {receipt_id} has {len(mine)} outcomes"
            elif mine[0]["state"] not in ENDS:
                yield f"not ended: {letter.name} of {receipt_id} is {mine[0]['state']}"


def _replays(world: World) -> dict[str, list[str]]:
    """Receipt -> the receipts that replay it, and those that replay them."""
    after: dict[str, list[str]] = defaultdict(list)
    for row in world.store.rows("receipt"):
        facts = orjson.loads(row["facts"])
        if "replay_of" in facts:
            after[facts["replay_of"]].append(row["id"])
    found: dict[str, list[str]] = defaultdict(list)
    for row in world.store.rows("receipt"):
        todo = list(after[row["id"]])
        while todo:
            each = todo.pop()
            found[row["id"]].append(each)
            todo += after[each]
    return found


def _judged(world: World) -> Iterator[str]:
    """What was sent is what became of it: nothing counts twice, nothing is dropped unseen."""
    by_key: dict[str, list[Row]] = defaultdict(list)
    for row in world.store.rows("document"):
        if row["direction"] == "in" and row["content_id"]:
            by_key[row["business_key"]].append(row)
    for key, rows in by_key.items():
        effective = [row for row in rows if row["verdict"] != "duplicate"]
        known = {row["content_id"] for row in effective}
        for row in rows:
            if row["content_id"] not in known:
                yield f"dropped: {row['content_id']} is called a duplicate of nothing"
        yield from _counted_once(key, effective)
        yield from _versions(world, key, effective)


def _counted_once(key: str, rows: list[Row]) -> Iterator[str]:
    # What a person refused may come again: its key is free. What is a duplicate takes no effect.
    gone = ("superseded", "rejected", "duplicate")
    # What waits for a person without a version has had no effect: whoever lets it go looks again.
    waits = [row["id"] for row in rows if row["state"] == "held" and row["version"] is None]
    standing = [
        row
        for row in rows
        if row["state"] not in gone and row["verdict"] != "stale" and row["id"] not in waits
    ]
    counts = Counter(row["content_id"] for row in standing)
    for content, count in counts.items():
        if count > 1:
            yield f"twice: {content} counts {count} times under {key}"


def _versions(world: World, key: str, rows: list[Row]) -> Iterator[str]:
    in_force = sorted(
        (row for row in rows if row["version"] is not None), key=lambda row: int(row["version"])
    )
    # A person may let a second change of one number follow the first; some have no number at all.
    chosen = {row["document_id"] for row in world.store.rows("hold") if row["kind"] == "conflict"}
    sequences = [row["sequence"] for row in in_force if row["sequence"] and row["id"] not in chosen]
    if sequences != sorted(set(sequences)):
        yield f"versions of {key} do not rise: {sequences}"
    for row in rows:
        newer = any(row["sequence"] < each["sequence"] for each in rows)
        if row["verdict"] == "stale" and not (row["sequence"] and newer):
            yield f"dropped: {row['content_id']} is called stale beside nothing newer"
    original = any(row["version"] == 1 and row["state"] != "held" for row in rows)
    parked = {row["document_id"] for row in world.store.rows("hold") if _is_parked(row)}
    waiting = [row for row in rows if row["id"] in parked]
    if original and waiting and not any(row["state"] == "held" for row in in_force):
        yield f"parked for ever: {waiting[0]['content_id']}, although its original went on"


def _is_parked(hold: Row) -> bool:
    return hold["state"] == "open" and hold["kind"] in ("orphan", "behind")


def _by_delivery(target: Target) -> dict[str, list[Effect]]:
    found: dict[str, list[Effect]] = defaultdict(list)
    for effect in target.effects:
        found[effect.delivery].append(effect)
    return found


def _once(world: World) -> Iterator[str]:
    """I2: at most one effect per document version and target, but for what it did by itself."""
    for target in world.targets.values():
        counts = Counter(
            (effect.business_key, effect.version, effect.action)
            for effect in target.effects
            if not effect.by_itself
        )
        for (key, version, _), count in counts.items():
            if count > 1:
                yield f"double effect: version {version} of {key} took effect {count} times at {target.name}"


def _in_order(world: World) -> Iterator[str]:
    """I3: effects of one business key come in the order of its versions, and `after` is kept."""
    for target in world.targets.values():
        last: dict[str, int] = {}
        for effect in target.effects:
            if effect.by_itself:
                continue
            if effect.version < last.get(effect.business_key, 0):
                yield f"out of order: version {effect.version} of {effect.business_key} at {target.name} after {last[effect.business_key]}"
            last[effect.business_key] = effect.version
    first, second = world.targets.values()
    there = {effect.document: effect.at for effect in reversed(first.effects)}
    for effect in second.effects:
        if there.get(effect.document, effect.at + 1) > effect.at:
            yield f"too early: {effect.business_key} at {second.name} before {first.name} had it"


def _agrees(world: World) -> Iterator[str]:
    """I4: the ledger says what the targets have."""
    for target in world.targets.values():
        there = _by_delivery(target)
        rows = [row for row in world.store.rows("delivery") if row["target"] == target.name]
        for row in rows:
            has = bool(there.pop(row["id"], None))
            if row["state"] == "delivered" and not has:
                yield f"not there: delivery {row['id'][:6]} to {target.name} is called delivered"
            if has and row["state"] not in ("delivered", "cancelled", "dead"):
                yield f"unknown effect: delivery {row['id'][:6]} to {target.name} is {row['state']}"
            unknowable = row["code"] == UNANSWERABLE or not target.can.can_look_up
            if has and row["state"] != "delivered" and not unknowable:
                yield f"given up, but there: delivery {row['id'][:6]} to {target.name}"
        for delivery in there:
            yield f"nobody's effect: {delivery[:6]} at {target.name}"


def _published(world: World) -> Iterator[str]:
    """Every version in force is told of on CANONICAL, once within the window of its ids."""
    ids = Counter(
        message.message_id for message in world.broker.streams[topology.CANONICAL].messages.values()
    )
    payloads = b"".join(
        message.payload for message in world.broker.streams[topology.CANONICAL].messages.values()
    )
    for row in world.store.rows("document"):
        gone_on = row["version"] is not None and row["state"] not in ("held", "rejected")
        if gone_on and row["id"].encode() not in payloads:
            yield f"not published: version {row['version']} of {row['business_key']}"
    for name, count in ids.items():
        if count > 1 and not _apart(world, str(name)):
            yield f"published {count} times within the window: {name}"


def _apart(world: World, name: str) -> bool:
    """Whether the copies of a message lie further apart than ids are remembered."""
    messages = world.broker.streams[topology.CANONICAL].messages.values()
    times = [message.at for message in messages if message.message_id == name]
    window = topology.DEDUPE_SECONDS
    return all(later - at >= window for at, later in pairwise(times))


def _paced(world: World) -> Iterator[str]:
    """Targets are left alone for as long as they must be."""
    for target in world.targets.values():
        yield from _waits_are_kept(target)
        yield from _rate_is_kept(target)


def _waits_are_kept(target: Target) -> Iterator[str]:
    failed: dict[str, float] = {}
    quiet = -RETRY_AFTER
    for call in target.seen:
        if call.answer == "asked":
            failed.clear()  # it answers: nobody has to wait any longer
            continue
        waited = call.at - failed.get(call.delivery, call.at - _FIRST_WAIT)
        if waited < _FIRST_WAIT:
            yield f"hurried: {target.name} was called again {waited:.1f}s after it failed"
        if _IN_HAND <= call.at - quiet < RETRY_AFTER - 2 * MOST_SKEW - 1.0:
            yield f"not heeded: {call.process} called {target.name} within its Retry-After"
        if call.answer == "ok":
            failed.clear()
        elif call.answer == "server_error":
            failed[call.delivery] = call.answered
        elif call.answer == "throttled":
            quiet = call.answered


def _rate_is_kept(target: Target) -> Iterator[str]:
    calls: dict[str, list[float]] = defaultdict(list)
    for call in target.seen:
        if call.answer != "asked":
            calls[call.process].append(call.at)
    most = LIMITS.per_second + LIMITS.concurrency + 1  # one that was saved up, and those in hand
    for process, times in calls.items():
        busiest = max(sum(at <= each < at + 1.0 for each in times) for at in times)
        if busiest > most:
            yield f"too fast: {process} called {target.name} {busiest} times in a second"


def _accounted(world: World) -> Iterator[str]:
    """Nothing died without a letter, and nothing died of being asked to wait."""
    for row in world.store.rows("dead_letter"):
        if row["code"] == "throttled":
            yield f"gave up: letter {row['id'][:6]}, although {row['target']} only wanted less"
    letters = {row["delivery_id"] for row in world.store.rows("dead_letter")}
    for row in world.store.rows("delivery"):
        if (
            row["state"] in ("dead", "cancelled")
            and row["id"] not in letters
            and row["code"] != "given_up"
        ):
            yield f"no letter: delivery {row['id'][:6]} to {row['target']} is {row['state']}"
