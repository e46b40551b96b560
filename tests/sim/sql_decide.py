"""What `hub.ledger` does for the normalize role, on tables in memory: same names, same rules.

Each function stands for the one of its name (`tests/sim/seam.py` says of which module). What they
must do is what the SQL does: `tests/integration/test_ledger_model.py` runs one script against both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa

from canonical.errors import Rejected
from canonical.order import Order, OrderChange
from hub.events import Event, with_data
from hub.ledger.keys import KeyState, Purchase
from hub.release import replacement
from tests.sim.tables import Row, Transaction

JSON = {"canonical", "facts", "reasons"}
"""Columns that are written as JSON text and read as values."""


def _read(row: Row) -> Row:
    """Return a row as PostgreSQL would give it."""
    texts = {name: row[name] for name in JSON & row.keys() if isinstance(row[name], str)}
    return row | {name: orjson.loads(text) for name, text in texts.items()}


@dataclass(frozen=True, slots=True)
class Inserted:
    """A row that an insert returned."""

    id: str


async def copy(tx: Transaction, table: sa.Table, rows: Sequence[Row]) -> None:
    """`bulk.copy`."""
    for row in rows:
        tx.add(table.name, dict(row))


async def insert(
    tx: Transaction,
    table: sa.Table,
    rows: Sequence[Row],
    *,
    conflict: str = "",
    returning: str = "",
) -> Sequence[Any]:
    """`bulk.insert`."""
    del returning
    written = [row for row in rows if tx.add(table.name, dict(row), ignore=bool(conflict))]
    return [Inserted(row["id"]) for row in written if "id" in row]


async def by_index(tx: Transaction) -> None:
    """`plans.by_index`: there is nothing to plan."""
    del tx


async def first_with_same_bytes(
    tx: Transaction, pairs: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], str]:
    """`inbox.first_with_same_bytes`."""
    wanted = set(pairs)
    found: dict[tuple[str, str], str] = {}
    for row in sorted(tx.all("receipt"), key=lambda row: (row["decided_at"], row["id"])):
        pair = (row["connection"], row["sha256"])
        if pair in wanted:
            found.setdefault(pair, row["id"])
    return found


async def admit(tx: Transaction, rows: Sequence[Mapping[str, Any]]) -> set[str]:
    """`inbox.admit`."""
    return {row["id"] for row in rows if tx.add("receipt", dict(row), ignore=True)}


async def mark_duplicates(tx: Transaction, firsts: Mapping[str, str]) -> None:
    """`inbox.mark_duplicates`."""
    for row in tx.all("receipt"):
        if row["id"] in firsts:
            tx.change("receipt", row, duplicate_of=firsts[row["id"]])


async def suspect(tx: Transaction, name: str, now: datetime) -> int:
    """`inbox.suspect`."""
    row = tx.get("suspect", name)
    before = 0 if row is None else int(row["times"])
    tx.put("suspect", {"message": name, "times": before + 1, "at": now})
    return before


async def acquit(tx: Transaction, name: str) -> None:
    """`inbox.acquit`."""
    tx.drop("suspect", name)


async def guard(tx: Transaction, names: Iterable[str]) -> None:
    """`keys.guard`: transactions run one after the other."""
    del tx, names


async def lock(tx: Transaction, keys: Iterable[str], now: datetime) -> dict[str, KeyState]:
    """`keys.lock`."""
    heads = {}
    for key in sorted(set(keys)):
        blank = {"version": 0, "sequence": 0, "content_id": "", "document_id": ""}
        row = tx.get("key_head", key)
        if row is None:
            row = tx.put("key_head", {"business_key": key, "updated_at": now} | blank)
        heads[key] = KeyState(*(row[name] for name in blank))
    for row in tx.all("document"):
        head = heads.get(row["business_key"])
        if head is None or row["direction"] != "in":
            continue
        if row["verdict"] != "duplicate" and row["state"] != "rejected":
            head.contents.add(row["content_id"])
            head.held |= row["version"] is not None and row["state"] == "held"
    return heads


async def save(tx: Transaction, heads: Mapping[str, KeyState], now: datetime) -> None:
    """`keys.save`."""
    for key, head in heads.items():
        if head.version:
            names = ("version", "sequence", "content_id", "document_id")
            values = {name: getattr(head, name) for name in names}
            tx.put("key_head", {"business_key": key, "updated_at": now} | values)


async def fall_back(tx: Transaction, key: str, now: datetime) -> KeyState:
    """`keys.fall_back`."""
    left = [
        row
        for row in tx.all("document")
        if row["business_key"] == key and row["version"] is not None
    ]
    head = KeyState()
    if left:
        last = max(left, key=lambda row: int(row["version"]))
        newest = max(int(row["sequence"]) for row in left)
        head = KeyState(last["version"], newest, last["content_id"], last["id"])
    names = ("version", "sequence", "content_id", "document_id")
    values = {name: getattr(head, name) for name in names}
    tx.put("key_head", {"business_key": key, "updated_at": now} | values)
    return head


async def purchases(
    tx: Transaction, contents: Iterable[str], po_keys: Iterable[str], since: datetime
) -> tuple[dict[str, list[Purchase]], dict[str, list[Purchase]]]:
    """`keys.purchases`."""
    wanted, bought = set(contents), set(po_keys)
    by_content: dict[str, list[Purchase]] = {}
    by_purchase: dict[str, list[Purchase]] = {}
    for row in tx.all("document"):
        if row["entity"] != "order" or row["version"] is None or row["created_at"] < since:
            continue
        purchase = Purchase(
            row["business_key"], row["partner"], row["connection"], row["created_at"]
        )
        if row["content_id"] in wanted:
            by_content.setdefault(row["content_id"], []).append(purchase)
        if row["po_key"] in bought:
            by_purchase.setdefault(row["po_key"], []).append(purchase)
    return by_content, by_purchase


async def stamps(tx: Transaction, keys: Iterable[Any]) -> dict[Any, tuple[int, str]]:
    """`reference.stamps`: no snapshots are simulated."""
    del tx, keys
    return {}


async def unread(tx: Transaction, source: str, entities: Iterable[str]) -> frozenset[str]:
    """`reference.unread`: no snapshots are simulated."""
    del tx, source
    return frozenset(entities)


async def save_snapshots(tx: Transaction, rows: Sequence[Any]) -> None:
    """`reference.save`: no snapshots are simulated."""
    del tx, rows


async def close_replayed(
    tx: Transaction, letters: Sequence[str], documents: Sequence[str], now: datetime
) -> None:
    """`dead_letters.close_replayed`."""
    for row in tx.all("document"):
        if row["id"] in documents and row["state"] == "dead" and letters:
            tx.change("document", row, state="superseded", settled_at=now)
    for row in tx.all("dead_letter"):
        if row["id"] in letters:
            tx.change("dead_letter", row, state="replayed", closed_at=now)


async def lock_replaying(tx: Transaction, letters: Iterable[str]) -> Sequence[Row]:
    """`dead_letters.lock_replaying`."""
    wanted = set(letters)
    rows = [row for row in tx.all("dead_letter") if row["state"] == "replaying"]
    return sorted((row for row in rows if row["id"] in wanted), key=lambda row: str(row["id"]))


def _line(tx: Transaction, receipt_id: str) -> list[str]:
    line: list[str] = []
    here: str | None = receipt_id
    while here is not None:
        row = tx.get("receipt", here)
        if row is None:
            break
        line.append(here)
        here = _read(row)["facts"].get("replay_of")
    return line


async def documents_of(tx: Transaction, receipts: Iterable[str | None]) -> Sequence[Row]:
    """`dead_letters.documents_of`."""
    found = []
    for last in sorted({each for each in receipts if each}):
        line = _line(tx, last)
        found += [
            {"receipt_id": last} | {name: row[name] for name in ("id", "direction", "position")}
            for row in tx.all("document")
            if row["receipt_id"] in line and row["state"] != "superseded"
        ]
    return found


async def to_resubmit(tx: Transaction, limit: int) -> Sequence[Row]:
    """`dead_letters.to_resubmit`."""
    letters = [
        row
        for row in tx.all("dead_letter")
        if row["state"] == "replaying" and row["delivery_id"] is None
    ]
    letters.sort(key=lambda row: (row["opened_at"], row["id"]))
    rows = []
    for letter in letters[:limit]:
        receipt = tx.get("receipt", letter["receipt_id"])
        if receipt is not None:
            named = {"letter": letter["id"], "replays": letter["replays"]}
            rows.append(_read(receipt) | named | {"position": letter["position"]})
    return rows


async def reopen(tx: Transaction, letter: str) -> None:
    """`dead_letters.reopen`."""
    row = tx.get("dead_letter", letter)
    if row is not None and row["state"] == "replaying":
        tx.change("dead_letter", row, state="open")


async def take(tx: Transaction, stream: str, limit: int, *, older_than: float) -> list[Event]:
    """`outbox.take`."""
    rows = [
        row
        for row in tx.all("outbox")
        if row["subject"].startswith(stream)
        and tx.seconds() - row["written_at"] >= older_than
        and row["refused"] is None
    ]
    return [
        Event(row["event_id"], row["subject"], _whole(tx, row), row["traceparent"])
        for row in rows[:limit]
    ]


def _whole(tx: Transaction, row: Row) -> bytes:
    of = tx.get("document", row["document_id"]) if row["document_id"] else None
    if of is None:
        return bytes(row["payload"])
    return with_data(row["payload"], orjson.dumps(_read(of)["canonical"]))


async def behind(tx: Transaction, events: Sequence[Event], beside: Sequence[str]) -> set[str]:
    """`outbox.behind`."""
    rows = [row for row in tx.all("outbox") if row["refused"] is None]
    place = {row["event_id"]: row["seq"] for row in rows}
    found = {event.event_id for event in events if event.event_id not in place}
    for row in rows:
        of = tx.get("document", row["document_id"]) if row["document_id"] else None
        for event in events:
            older = row["seq"] < place.get(event.event_id, 0) and row["event_id"] not in beside
            if older and of is not None and of["business_key"] == event.key:
                found.add(event.event_id)
    return found


async def set_aside(tx: Transaction, event_ids: Sequence[str], code: str) -> None:
    """`outbox.set_aside`."""
    for row in tx.all("outbox"):
        if row["event_id"] in event_ids:
            tx.change("outbox", row, refused=code)


async def forget(tx: Transaction, event_ids: Sequence[str]) -> None:
    """`outbox.forget`."""
    for row in tx.all("outbox"):
        if row["event_id"] in event_ids:
            tx.drop("outbox", row["seq"])


async def lock_open(tx: Transaction, hold_id: str) -> Row:
    """`holds.lock_open`."""
    row = tx.get("hold", hold_id)
    if row is None:
        raise Rejected("hold_unknown", hold_id, "no hold has this id")
    if row["state"] != "open":
        raise Rejected("hold_closed", hold_id, f"the hold is already {row['state']}")
    return row


async def close(tx: Transaction, hold_id: str, values: dict[str, Any], now: datetime) -> None:
    """`holds.close`."""
    row = tx.get("hold", hold_id)
    if row is not None:
        tx.change("hold", row, **values, closed_at=now)


async def parked(tx: Transaction, keys: Iterable[str], kinds: Sequence[str]) -> Sequence[Row]:
    """`holds.parked`."""
    wanted = set(keys)
    found = []
    for row in tx.all("hold"):
        of = tx.get("document", row["document_id"])
        waits = row["business_key"] in wanted and row["kind"] in kinds and row["state"] == "open"
        if of is not None and waits:
            came = tx.get("receipt", of["receipt_id"]) or {}
            arrived = came.get("received_at"), came.get("id"), of["position"]
            found.append((of["sequence"], row["opened_at"], *arrived, row))
    return [row for *_, row in sorted(found, key=lambda each: each[:-1])]


async def key_of(tx: Transaction, hold_id: str) -> str:
    """`holds.key_of`."""
    row = tx.get("hold", hold_id)
    return "" if row is None else str(row["business_key"])


async def becomes(tx: Transaction, hold_id: str, kind: str, reason: Mapping[str, str]) -> None:
    """`holds.becomes`."""
    row = tx.get("hold", hold_id)
    if row is not None:
        tx.change("hold", row, kind=kind, reasons=[dict(reason)])


async def document(tx: Transaction, document_id: str) -> Row:
    """`hub.release.holds._document`."""
    row = tx.get("document", document_id)
    if row is None:
        raise LookupError(document_id)
    return _read(row)


async def update(tx: Transaction, document_id: str, values: dict[str, Any]) -> None:
    """`hub.release.holds._update`."""
    row = tx.get("document", document_id)
    if row is not None:
        tx.change("document", row, **values)


async def came_again(tx: Transaction, row: Row) -> bool:
    """`hub.release.holds._came_again`."""
    return any(
        each["business_key"] == row["business_key"]
        and each["content_id"] == row["content_id"]
        and each["version"] is not None
        and each["id"] != row["id"]
        for each in tx.all("document")
    )


async def in_force(tx: Transaction, key: str) -> Order:
    """`hub.release.holds.order_in_force`: the versions of a key, put together by the hub's own rule."""
    rows = [
        row
        for row in tx.all("document")
        if row["business_key"] == key and row["version"] is not None
    ]
    rows.sort(key=lambda row: int(row["version"]))
    texts = [(row["entity"], orjson.dumps(_read(row)["canonical"])) for row in rows]
    originals = [text for entity, text in texts if entity == "order"]
    if not originals:
        raise Rejected("original_unknown", "", "no original of the order is in force")
    changes = [text for entity, text in texts if entity == "order_change"]
    return replacement.in_force(
        Order.model_validate_json(originals[0]),
        [OrderChange.model_validate_json(text) for text in changes],
    )


async def record(tx: Transaction, entry: object, now: datetime) -> None:
    """`audit.append`: the chain is tested on PostgreSQL (`tests/integration/test_audit.py`)."""
    del tx, entry, now
