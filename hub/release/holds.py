"""Letting a held document go, or refusing it: by a person, or because what it waited for came."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

import orjson
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from canonical.envelope import VERBS
from canonical.errors import Rejected
from canonical.identity import event_id, reference_for
from canonical.order import Order, OrderChange
from hub.events import Event, Subject, canonical_event
from hub.ledger import audit, bulk, holds, keys
from hub.ledger.customers import customers
from hub.ledger.keys import KeyState
from hub.ledger.tables import delivery, document, outbox
from hub.release.replacement import as_change, in_force
from hub.release.routing import Routed, deliveries, passed_over, routes_of, unknown_order
from hub.release.same_number import SAME_NUMBER
from hub.settings.customers import ORDERS
from hub.settings.model import Site

_PARKED = ("orphan", "behind")
"""Kinds of holds that end by themselves: a change that waits for its original."""
Resolution = Literal["as_is", "replace"]


@dataclass(frozen=True, slots=True)
class Act:
    """Who acts, why and when: all of it goes into the audit trail."""

    actor: str
    reason: str
    at: datetime


async def release(connection: AsyncConnection, hold_id: str, act: Act, site: Site) -> list[Event]:
    """Let a held document go; its deliveries and event are written in this transaction.

    A conflicting order goes as a replacement of the version in force, everything else as it is. One
    that came again and was accepted since, as its key had become free, has no effect a second time.

    Returns:
        The events to publish once the transaction is committed.

    Raises:
        Rejected: ``hold_unknown``, ``hold_closed``, ``original_unknown``, ``original_held`` (it
            would overtake a version that is held), ``not_an_order``.
    """
    held, row, head = await _locked(connection, hold_id, act.at)
    if head.held and row["version"] is None:
        raise Rejected("original_held", row["number"] or "", "an earlier version of it is held")
    if held["kind"] == "conflict":
        if not await _came_again(connection, row):
            row = await _chosen(connection, row, head)
    elif held["kind"] in _PARKED:
        row = _next_version(row, head)
    if row["version"] is None:
        values = {"state": "released", "resolution": "stale"}
        await _update(connection, row["id"], {"state": "duplicate", "settled_at": act.at})
        events: list[Event] = []
    else:
        values = {"state": "released", "resolution": _resolution(held["kind"])}
        events = await _let_go(connection, row, site, act.at)
        await keys.save(connection, {row["business_key"]: head}, act.at)
    await holds.close(connection, hold_id, values | _by(act), act.at)
    await _audit(connection, "hold.release", held, values, act)
    if held["kind"] not in _PARKED:
        events += await adopt_parked(connection, [row["business_key"]], site, act.at)
    return events


async def reject(connection: AsyncConnection, hold_id: str, act: Act, site: Site) -> list[Event]:
    """Refuse a held document for good.

    The version before it is in force again, and what waited behind it goes on. Where there is none
    its key is free for a corrected original, and what waited behind it is refused, too.

    Returns:
        The events to publish once the transaction is committed.

    Raises:
        Rejected: ``hold_unknown`` or ``hold_closed``.
    """
    held, row, head = await _locked(connection, hold_id, act.at)
    await _update(
        connection, row["id"], {"state": "rejected", "version": None, "settled_at": act.at}
    )
    values = {"state": "rejected", "resolution": "reject"}
    await holds.close(connection, hold_id, values | _by(act), act.at)
    await _audit(connection, "hold.reject", held, values, act)
    if head.document_id != row["id"]:
        return []
    key = row["business_key"]
    before = await keys.fall_back(connection, key, act.at)
    if before.version:
        return await adopt_parked(connection, [key], site, act.at)
    for waiting in await holds.parked(connection, [key], ("behind",)):
        why = f"the order that it changes was rejected: {act.reason}"
        await reject(connection, waiting["id"], Act(act.actor, why, act.at), site)
    return []


async def _locked(
    connection: AsyncConnection, hold_id: str, now: datetime
) -> tuple[sa.RowMapping, dict[str, Any], KeyState]:
    """Lock the key of an open hold, then the hold: deciding a batch takes them in that order."""
    key = await holds.key_of(connection, hold_id)
    heads = await keys.lock(connection, [key] if key else [], now)
    held = await holds.lock_open(connection, hold_id)
    return held, await _document(connection, held["document_id"]), heads[key]


async def adopt_parked(
    connection: AsyncConnection, adopted: Iterable[str], site: Site, now: datetime
) -> list[Event]:
    """Let changes go whose original has arrived or was let go, in the order of their sequences.

    Of two with one number the second stays, for a person to choose.
    """
    heads = await keys.lock(connection, adopted, now)
    wanted = [key for key, head in heads.items() if not head.held]
    if not wanted:
        return []
    events: list[Event] = []
    act = Act("crossdock", "the original may go on", now)
    for waiting in await holds.parked(connection, wanted, _PARKED):
        _, row, head = await _locked(connection, waiting["id"], now)
        if head.version and row["sequence"] and row["sequence"] == head.sequence:
            await holds.becomes(connection, waiting["id"], "conflict", asdict(SAME_NUMBER))
        else:
            events += await release(connection, waiting["id"], act, site)
    return events


def _resolution(kind: str) -> Resolution:
    return "replace" if kind == "conflict" else "as_is"


def _by(act: Act) -> dict[str, str]:
    return {"actor": act.actor, "reason": act.reason}


async def _document(connection: AsyncConnection, document_id: str) -> dict[str, Any]:
    result = await connection.execute(sa.select(document).where(document.c.id == document_id))
    return dict(result.mappings().one())


async def _update(connection: AsyncConnection, document_id: str, values: dict[str, Any]) -> None:
    await connection.execute(
        sa.update(document).where(document.c.id == document_id).values(**values)
    )


def _next_version(row: dict[str, Any], head: KeyState) -> dict[str, Any]:
    """Give a parked change its version; it stays without one where a newer change is in force."""
    if head.version == 0:
        raise Rejected("original_unknown", row["number"] or "", "the order has not arrived yet")
    if row["sequence"] and row["sequence"] <= head.sequence:
        return row
    return _enter(row, head)


def _enter(row: dict[str, Any], head: KeyState) -> dict[str, Any]:
    """Make a document the version in force; the newest of its sender's numbers stays the newest."""
    head.version += 1
    head.sequence = max(head.sequence, row["sequence"])
    head.content_id = row["content_id"]
    head.document_id = row["id"]
    return row | {"version": head.version}


async def _chosen(
    connection: AsyncConnection, row: dict[str, Any], head: KeyState
) -> dict[str, Any]:
    """Let the document of a conflict follow what is in force: a change as it is, an order as one."""
    if row["entity"] == "order_change" and head.version:
        return _enter(row, head)
    return await _replacement(connection, row, head)


async def _replacement(
    connection: AsyncConnection, row: dict[str, Any], head: KeyState
) -> dict[str, Any]:
    """Turn a conflicting original into the change that makes it the version in force.

    It has no number: the numbers are the sender's, whose next change begins where it left off.
    """
    if row["entity"] != "order":
        raise Rejected("not_an_order", row["number"] or "", "only an order can replace an order")
    change = as_change(
        await order_in_force(connection, row["business_key"]),
        Order.model_validate_json(orjson.dumps(row["canonical"])),
    )
    return _enter(
        row
        | {
            "entity": "order_change",
            "purpose": "change",
            "sequence": 0,
            "canonical": orjson.loads(change.model_dump_json(exclude_none=True)),
        },
        head,
    )


async def _came_again(connection: AsyncConnection, row: dict[str, Any]) -> bool:
    """Tell whether the same content is, or was, in force of the same key by another document."""
    same = sa.select(document.c.id).where(
        document.c.business_key == row["business_key"],
        document.c.content_id == row["content_id"],
        document.c.version.is_not(None),
        document.c.id != row["id"],
    )
    return (await connection.execute(same.limit(1))).first() is not None


async def order_in_force(connection: AsyncConnection, key: str) -> Order:
    """Return the order of a key as its versions have left it.

    Raises:
        Rejected: ``original_unknown``: no original of the key is in force.
    """
    versions = sa.select(document.c.entity, document.c.canonical).where(
        document.c.business_key == key, document.c.version.is_not(None)
    )
    result = await connection.execute(versions.order_by(document.c.version))
    found = [(row.entity, orjson.dumps(row.canonical)) for row in result]
    originals = [text for entity, text in found if entity == "order"]
    if not originals:
        raise Rejected("original_unknown", "", "no original of the order is in force")
    changes = [text for entity, text in found if entity == "order_change"]
    return in_force(
        Order.model_validate_json(originals[0]),
        [OrderChange.model_validate_json(text) for text in changes],
    )


async def _let_go(
    connection: AsyncConnection, row: dict[str, Any], site: Site, now: datetime
) -> list[Event]:
    """Write deliveries and the outbox row of a document that goes on."""
    routed = Routed(
        document_id=row["id"],
        entity=row["entity"],
        connection=row["connection"],
        partner=row["partner"],
        business_key=row["business_key"],
        version=row["version"],
        reference=reference_for(row["business_key"]),
        trace_id=row["trace_id"],
        customer=await _customer(connection, row),
    )
    owed = deliveries(routed, routes_of(routed, site), now)
    await bulk.insert(connection, delivery, owed)
    changed = {key: row[key] for key in ("entity", "purpose", "sequence", "canonical", "version")}
    state = {"state": "accepted"} if owed else {"state": "delivered", "settled_at": now}
    said = unknown_order(passed_over(routed, site))
    await _update(connection, row["id"], changed | state | said)
    event = _event(row, now)
    await bulk.insert(connection, outbox, [event.row()])
    return [event]


async def _customer(connection: AsyncConnection, row: dict[str, Any]) -> str | None:
    if row["entity"] in ORDERS:
        return str(row["partner"])
    reference = row["reference"] or ""
    return (await customers(connection, [reference])).get(reference)


def _event(row: dict[str, Any], now: datetime) -> Event:
    (verb,) = VERBS[row["entity"]]
    subject = Subject(
        event_id=event_id(row["business_key"], row["content_id"], verb, row["version"]),
        entity=row["entity"],
        verb=verb,
        connection=row["connection"],
        business_key=row["business_key"],
        document_id=row["id"],
        content_id=row["content_id"],
        traceparent=row["trace_id"],
        version=row["version"],
    )
    return canonical_event(subject, orjson.dumps(row["canonical"]), now, in_ledger=True)


async def _audit(
    connection: AsyncConnection,
    action: str,
    held: sa.RowMapping,
    after: dict[str, Any],
    act: Act,
) -> None:
    before = {"hold": held["id"], "state": "open", "kind": held["kind"], "reasons": held["reasons"]}
    entry = audit.Entry(act.actor, action, held["document_id"], act.reason, before, after)
    await audit.append(connection, entry, act.at)
