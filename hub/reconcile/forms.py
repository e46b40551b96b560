"""A document in its four forms: as it came, as its sender means it, canonical, and as it was sent.

They hold what people and partners wrote: shown only to who asks for them.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Sequence
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection

from canonical.errors import Rejected
from connectors.base import Receipt, Refusal
from connectors.registry import CONNECTORS
from hub.archive import Archive
from hub.ledger.arrays import among
from hub.ledger.tables import receipt
from hub.ledger.threads import Thread
from hub.settings.model import Site

_MOST_BYTES = 1_000_000


class Form(StrEnum):
    """Which form of the documents to show."""

    RAW = "raw"
    SOURCE = "source"
    CANONICAL = "canonical"
    DELIVERED = "delivered"


class Forms:
    """Reads the forms of a thread's documents; what cannot be read says why."""

    def __init__(self, ledger: AsyncConnection, archive: Archive, site: Site) -> None:
        self._ledger = ledger
        self._archive = archive
        self._site = site

    async def of(self, thread: Thread, wanted: Sequence[Form]) -> list[dict[str, Any]]:
        """Return one entry per document or delivery and form, in the thread's order."""
        receipts = await self._receipts(thread)
        found: list[dict[str, Any]] = []
        for row in thread.documents:
            about = {"document": row["id"], "entity": row["entity"], "number": row["number"]}
            came = receipts.get(row["receipt_id"]) if row["direction"] == "in" else None
            for form in wanted:
                value = await self._document(form, row, came)
                if value is not None:
                    found.append(about | {"form": form.value} | value)
            if Form.DELIVERED in wanted:
                found += [
                    about
                    | {"form": "delivered", "target": sent["target"], "action": sent["action"]}
                    | await self._kept(sent["archive"], sent["sent_sha256"] or "")
                    for sent in thread.deliveries
                    if sent["document_id"] == row["id"] and sent["archive"]
                ]
        return found

    async def _receipts(self, thread: Thread) -> dict[str, sa.RowMapping]:
        ids = sorted({row["receipt_id"] for row in thread.documents if row["receipt_id"]})
        rows = await self._ledger.execute(sa.select(receipt).where(among(receipt.c.id, ids)))
        return {row["id"]: row for row in rows.mappings()}

    async def _document(
        self, form: Form, row: sa.RowMapping, came: sa.RowMapping | None
    ) -> dict[str, Any] | None:
        if form is Form.CANONICAL and row["canonical"] is not None:
            return {"json": row["canonical"]}
        if came is None:
            return None
        if form is Form.RAW:
            return await self._kept(came["archive"], came["sha256"])
        if form is Form.SOURCE:
            return await self._source(row, came)
        return None

    async def _kept(self, place: str, sha256: str) -> dict[str, Any]:
        try:
            body = await asyncio.to_thread(self._archive.read, place, sha256)
        except Rejected as error:
            return {"code": error.code}
        return shown(body)

    async def _source(self, row: sa.RowMapping, came: sa.RowMapping) -> dict[str, Any]:
        """Read the receipt again with the connector's codec."""
        connection = self._site.connections.get(came["connection"])
        connector = CONNECTORS.get(connection.system) if connection else None
        if connection is None or connector is None:
            return {"code": "connection_unknown"}
        try:
            config = connector.config.model_validate(connection.options)
            body = await asyncio.to_thread(self._archive.read, came["archive"], came["sha256"])
        except ValidationError:
            return {"code": "options_invalid"}
        except Rejected as error:
            return {"code": error.code}
        codec = connector.codec(config)
        decoded = await asyncio.to_thread(codec.decode, _as_received(came, body))
        for each in decoded.documents:
            if each.position == row["position"]:
                if isinstance(each, Refusal):
                    return {"where": each.where, "code": each.error.code}
                return {"where": each.where, "json": each.body}
        return {"code": "document_missing"}


def _as_received(row: sa.RowMapping, body: bytes) -> Receipt:
    return Receipt(
        row["id"],
        row["connection"],
        row["delivery_id"],
        row["received_at"],
        body,
        row["flow"],
        row["content_type"],
        row["facts"],
    )


def shown(body: bytes) -> dict[str, Any]:
    """Return bytes as JSON can hold them: text where it is UTF-8, else base64; 1 MB at most."""
    head = body[:_MOST_BYTES]
    found: dict[str, Any] = {"size": len(body), "cut": len(body) > _MOST_BYTES}
    try:
        return found | {"text": head.decode()}
    except UnicodeDecodeError:
        return found | {"base64": base64.b64encode(head).decode()}
