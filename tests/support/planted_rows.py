"""Ledger rows by the hundred thousand: documents, deliveries and what bears them out, by COPY."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.ledger import bulk, tables

_TABLES = (
    "receipt", "document", "delivery", "hold", "dead_letter", "reference", "confirmation",
    "statement_entry", "interchange",
)  # fmt: skip
_DOCUMENT = {
    "direction": "in", "position": 0, "place_in_receipt": "", "flow": "test", "content_id": "c",
    "version": 1, "sequence": 0, "purpose": "original", "verdict": "accept", "state": "delivered",
    "amount": None, "currency": None, "settled_at": None,
}  # fmt: skip
_DELIVERY = {
    "occasion": "", "version": 1, "state": "delivered", "attempts": 1, "external_id": None,
    "facts": "{}", "next_at": None, "sent_sha256": None, "code": None, "settled_at": None,
}  # fmt: skip
_REST = ("delivered", "dead", "cancelled")


@dataclass
class Rows:
    """Rows to be written, by table."""

    by_table: dict[str, list[dict[str, Any]]] = field(
        default_factory=lambda: {name: [] for name in _TABLES}
    )

    @property
    def documents(self) -> int:
        """How many documents there are."""
        return len(self.by_table["document"])

    def add(self, table: str, **row: Any) -> dict[str, Any]:
        self.by_table[table].append(row)
        return row

    def document(
        self, entity: str, number: str, at: datetime, canonical: Mapping[str, Any], **other: Any
    ) -> dict[str, Any]:
        """A received document with its receipt."""
        name = f"{entity}-{number}-{len(self.by_table['document'])}"
        given = {"partner": "acme", "connection": "acme-edi"} | other
        with_receipt = given.pop("receipt", True)
        if with_receipt:
            self.add(
                "receipt", id=f"r-{name}", connection=given["connection"],
                partner=given["partner"], delivery_id=name, sha256="0", size=1, archive="a:0:1",
                content_type="text/plain", received_at=at, decided_at=at,
            )  # fmt: skip
        key = f"{entity}/{given['partner']}/{number}/"
        row = _DOCUMENT | {
            "id": name, "receipt_id": f"r-{name}", "entity": entity, "business_key": key,
            "number": number, "reference": None, "canonical": orjson.dumps(canonical).decode(),
            "created_at": at,
        }  # fmt: skip
        return self.add("document", **(row | given))

    def delivery(
        self, of: Mapping[str, Any], target: str, action: str, at: datetime, **other: Any
    ) -> dict[str, Any]:
        """A delivery of a document, settled at `at` unless it is said to be under way."""
        name = f"{action}-{target}-{of['id']}-{other.get('occasion', '')}"
        row = _DELIVERY | {
            "id": name, "document_id": of["id"], "target": target, "action": action,
            "flow": other.pop("flow", action), "business_key": of["business_key"],
            "reference": of["reference"] or "", "external_id": f"X-{name}",
            "created_at": at - timedelta(minutes=1),
        } | other  # fmt: skip
        row["settled_at"] = at if row["state"] in _REST else None
        return self.add("delivery", **row)

    def hold(self, of: Mapping[str, Any], kind: str = "control_point") -> None:
        """An open hold of a document."""
        self.add(
            "hold", id=f"h-{of['id']}", document_id=of["id"], business_key=of["business_key"],
            kind=kind, reasons="[]", state="open", opened_at=of["created_at"],
        )  # fmt: skip

    def letter(self, of: Mapping[str, Any]) -> None:
        """An open dead letter of a document."""
        self.add(
            "dead_letter", id=f"l-{of['id']}", stage="deliver", connection=of["connection"],
            partner=of["partner"], document_id=of["id"], fingerprint="f", state="open",
            opened_at=of["created_at"],
        )  # fmt: skip

    async def write(self, connection: AsyncConnection) -> None:
        """Copy everything into the ledger."""
        for name, rows in self.by_table.items():
            await bulk.copy(connection, tables.metadata.tables[name], rows)
