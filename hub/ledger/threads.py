"""The thread of one purchase order: everything the ledger knows of it, in one timeline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.ledger import dead_letters
from hub.ledger.arrays import among
from hub.ledger.deliveries import WAITING_BEHIND, WAITING_FOR_TARGET
from hub.ledger.seeds import documents_by, named_by, paid_by, tracked_by
from hub.ledger.tables import (
    attempt,
    confirmation,
    dead_letter,
    delivery,
    document,
    finding,
    hold,
    receipt,
)

_MOST_INVOICES = 50
"""Whose payments are looked for, of one purchase."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened."""

    at: datetime
    what: str
    """received, duplicate, held, released, sent, asked, failed, delivered, dead, found, closed ..."""
    about: str
    """Which document, delivery, hold or finding, in a person's words."""
    why: str = ""
    id: str = ""


@dataclass(frozen=True, slots=True)
class Thread:
    """All documents of one purchase and what happened to them, oldest first."""

    key: str
    documents: Sequence[sa.RowMapping]
    deliveries: Sequence[sa.RowMapping]
    timeline: Sequence[Entry]
    findings: Sequence[sa.RowMapping] = ()
    """Of its orders, open and closed."""
    waiting: Mapping[str, str] = field(default_factory=dict)
    """Delivery id -> what it waits behind, in a person's words."""

    @property
    def references(self) -> list[str]:
        """Our references of its orders."""
        orders = (row for row in self.documents if row["entity"] == "order")
        found = {row["reference"]: None for row in orders if row["reference"]}
        return list(found) or list(
            {row["reference"]: None for row in self.documents if row["reference"]}
        )


async def find(connection: AsyncConnection, key: str) -> Thread | None:
    """Return the thread that a key belongs to; None where the ledger does not know the key.

    Args:
        connection: to the ledger.
        key: a PO, order, shipment, invoice or tracking number, our reference, a target's id, a
            document id, or an SSCC.
    """
    seeds = await named_by(connection, key)
    if not seeds:
        return None
    references = {row["reference"] for row in seeds if row["reference"]}
    numbers = {row["number"] for row in seeds if row["entity"] == "tracking"}
    references |= await tracked_by(connection, numbers)
    po_keys = {row["po_key"] for row in seeds if row["po_key"]}
    documents = await _documents(connection, references, po_keys, [row["id"] for row in seeds])
    deliveries = await _rows(
        connection,
        sa.select(delivery)
        .where(among(delivery.c.document_id, [row["id"] for row in documents]))
        .order_by(delivery.c.created_at),
    )
    findings = await _findings(connection, documents)
    entries = await _timeline(connection, documents, deliveries)
    entries += _found(findings)
    waiting = await _waiting(connection, documents, deliveries)
    timeline = sorted(entries, key=lambda entry: entry.at)
    return Thread(key, documents, deliveries, timeline, findings, waiting)


async def _documents(
    connection: AsyncConnection, references: set[str], po_keys: set[str], ids: list[str]
) -> Sequence[sa.RowMapping]:
    rows = await documents_by(
        connection,
        among(document.c.reference, references),
        among(document.c.po_key, po_keys),
        among(document.c.id, ids),
    )
    numbers = {number for row in rows for number in _tracking_numbers(row["canonical"])}
    receipts = {row["receipt_id"] for row in rows if row["direction"] == "in"}
    loads = {row["number"] for row in rows if row["entity"] == "load_tender"}
    invoices = sorted({row["number"] for row in rows if row["entity"] == "invoice"})
    more = await documents_by(
        connection,
        sa.and_(document.c.entity == "tracking", among(document.c.number, numbers)),
        sa.and_(document.c.entity == "tender_response", among(document.c.number, loads)),
        *(paid_by(number) for number in invoices[:_MOST_INVOICES]),
        sa.and_(document.c.direction == "out", among(document.c.receipt_id, receipts)),
    )
    unique = {row["id"]: row for row in [*rows, *more]}
    return sorted(unique.values(), key=lambda row: row["created_at"])


def _tracking_numbers(canonical: dict[str, Any] | None) -> set[str]:
    if not canonical:
        return set()
    packages = canonical.get("packages") or []
    numbers = {package.get("tracking_number") for package in packages}
    return {n for n in numbers | set(canonical.get("tracking_numbers") or ()) if n}


async def _timeline(
    connection: AsyncConnection,
    documents: Sequence[sa.RowMapping],
    deliveries: Sequence[sa.RowMapping],
) -> list[Entry]:
    ids = [row["id"] for row in documents]
    entries = [_received(row) for row in documents]
    entries += await _redeliveries(connection, documents)
    entries += await _holds(connection, documents)
    entries += await _attempts(connection, deliveries)
    entries += await _confirmed(connection, deliveries)
    receipts = {row["receipt_id"] for row in documents}
    replayed = await dead_letters.letters_before(connection, receipts)
    concerns = sa.or_(_concerns(ids, deliveries), among(dead_letter.c.id, replayed))
    for row in await _rows(connection, sa.select(dead_letter).where(concerns)):
        why = f"{row['code']} at {row['place']}" if row["place"] else row["code"]
        flow = f" {row['flow']}" if row["flow"] else ""
        about = f"dead letter, {row['stage']}{flow} {row['target'] or row['connection']}"
        entries.append(Entry(row["opened_at"], "dead", about, why, row["id"]))
        if row["closed_at"]:
            by = f"{row['actor']}: {row['reason']}"
            entries.append(Entry(row["closed_at"], row["state"], about, by, row["id"]))
    return entries


async def _findings(
    connection: AsyncConnection, documents: Sequence[sa.RowMapping]
) -> Sequence[sa.RowMapping]:
    keys = {row["business_key"] for row in documents}
    references = {row["reference"] for row in documents if row["reference"]}
    theirs = sa.or_(among(finding.c.subject, keys), among(finding.c.reference, references))
    return await _rows(connection, sa.select(finding).where(theirs).order_by(finding.c.since))


def _found(findings: Sequence[sa.RowMapping]) -> list[Entry]:
    entries = []
    for row in findings:
        about = f"finding, {row['job']}"
        entries.append(Entry(row["opened_at"], "found", about, row["cause"], row["id"]))
        if row["closed_at"]:
            entries.append(Entry(row["closed_at"], "closed", about, "", row["id"]))
    return entries


async def _waiting(
    connection: AsyncConnection,
    documents: Sequence[sa.RowMapping],
    deliveries: Sequence[sa.RowMapping],
) -> dict[str, str]:
    """Say of each waiting delivery what is in its way."""
    labels = {row["id"]: _label(row) for row in documents}
    known = {row["id"]: row for row in deliveries}
    missing = {row["place"] for row in deliveries if row["code"] == WAITING_BEHIND} - known.keys()
    asked = sa.select(delivery).where(among(delivery.c.id, sorted(filter(None, missing))))
    known |= {row["id"]: row for row in await _rows(connection, asked)}
    found = {}
    for row in deliveries:
        if row["code"] == WAITING_FOR_TARGET:
            found[row["id"]] = f"until {row['place']} has it"
        elif row["code"] == WAITING_BEHIND and row["place"] in known:
            other = known[row["place"]]
            about = labels.get(other["document_id"], other["business_key"])
            found[row["id"]] = f"behind {other['action']} of {about}, which is {other['state']}" + (
                f" ({other['code']})" if other["code"] else ""
            )
    return found


def _concerns(ids: list[str], deliveries: Sequence[sa.RowMapping]) -> sa.ColumnElement[bool]:
    return sa.or_(
        among(dead_letter.c.document_id, ids),
        among(dead_letter.c.delivery_id, [row["id"] for row in deliveries]),
    )


def _label(row: sa.RowMapping) -> str:
    number = f" {row['number']}" if row["number"] else ""
    version = f" v{row['version']}" if row["version"] else ""
    return f"{row['entity']}{number}{version}"


def _received(row: sa.RowMapping) -> Entry:
    if row["direction"] == "out":
        return Entry(row["created_at"], "answered", f"{row['flow']} to {row['connection']}")
    what = "received" if row["verdict"] in ("accept", "change") else row["verdict"]
    why = row["code"] or ""
    return Entry(row["created_at"], what, f"{_label(row)} from {row['connection']}", why, row["id"])


async def _redeliveries(
    connection: AsyncConnection, documents: Sequence[sa.RowMapping]
) -> list[Entry]:
    receipts = {row["receipt_id"]: row for row in documents if row["direction"] == "in"}
    rows = await _rows(
        connection,
        sa.select(receipt).where(among(receipt.c.id, receipts), receipt.c.redeliveries > 0),
    )
    return [
        Entry(
            row["decided_at"],
            "duplicate",
            f"{_label(receipts[row['id']])} from {row['connection']}",
            f"delivered {row['redeliveries']} more times, answered at the door",
            row["id"],
        )
        for row in rows
    ]


async def _holds(connection: AsyncConnection, documents: Sequence[sa.RowMapping]) -> list[Entry]:
    labels = {row["id"]: _label(row) for row in documents}
    entries = []
    for row in await _rows(connection, sa.select(hold).where(among(hold.c.document_id, labels))):
        codes = ", ".join(
            f"{reason['code']} at {reason['where']}" if reason["where"] else reason["code"]
            for reason in row["reasons"]
        )
        about = labels[row["document_id"]]
        entries.append(Entry(row["opened_at"], "held", about, codes, row["id"]))
        if row["closed_at"]:
            by = f"{row['actor']}: {row['reason']}"
            entries.append(Entry(row["closed_at"], row["state"], about, by, row["id"]))
    return entries


async def _attempts(
    connection: AsyncConnection, deliveries: Sequence[sa.RowMapping]
) -> list[Entry]:
    by_id = {row["id"]: row for row in deliveries}
    rows = await _rows(connection, sa.select(attempt).where(among(attempt.c.delivery_id, by_id)))
    entries = []
    for row in rows:
        sent = by_id[row["delivery_id"]]
        about = f"{sent['action']} at {sent['target']}, attempt {row['n']}"
        last = row["outcome"] == "delivered" and row["n"] == sent["attempts"]
        name = row["external_id"] or (sent["external_id"] if last else None)
        why = row["code"] or name or ""
        at = row["ended_at"] or row["started_at"]
        entries.append(Entry(at, row["outcome"], about, why, row["delivery_id"]))
    return entries


async def _confirmed(
    connection: AsyncConnection, deliveries: Sequence[sa.RowMapping]
) -> list[Entry]:
    """Say what partners answered to what we sent them."""
    flows = {row["id"]: f" on {row['flow']}" if row["flow"] else "" for row in deliveries}
    rows = await _rows(
        connection, sa.select(confirmation).where(among(confirmation.c.delivery_id, flows))
    )
    return [
        Entry(
            row["at"],
            row["state"],
            f"{row['flow']} of {row['connection']}{flows[row['delivery_id']]}",
            ", ".join(f"{each['code']} at {each['where']}" for each in row["reasons"]),
            row["delivery_id"],
        )
        for row in rows
    ]


async def _rows(connection: AsyncConnection, statement: sa.Select[Any]) -> Sequence[sa.RowMapping]:
    result = await connection.execute(statement)
    return list(result.mappings())
