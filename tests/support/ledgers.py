"""A pipeline on a real ledger and a real NATS whose workers say what a test wants."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import nats as nats_client
import orjson
import sqlalchemy as sa
from nats.aio.client import Client
from sqlalchemy.ext.asyncio import AsyncEngine

from canonical import DOCUMENTS
from canonical.identity import business_key, content_id, po_key
from canonical.summary import summarise
from connectors.base import Answer, Interchange, Receipt
from hub import topology
from hub.archive import Archive
from hub.clock import SystemClock
from hub.intake.store import ReceiptStore
from hub.ledger.engine import open_engine
from hub.pipeline import Parts, Pipeline
from hub.publisher import Publisher
from hub.relay import Relay
from hub.seen import Seen
from hub.servers.addresses import Addresses
from hub.settings.model import Site
from hub.telemetry.metrics import Metrics
from hub.telemetry.tracing import Tracing
from hub.workers.jobs import Acknowledged, Failed, Normalized, NormalizeResult
from hub.workers.pool import WorkerPool

SITE = Site.model_validate(
    {
        "control_points": {
            "reference": "bc",
            "default_ship_method": "GROUND",
            "ship_methods": {"UPSN": "GROUND"},
        },
        "partners": {
            "acme": {"name": "Acme", "customer_number": "C10010"},
            "shop": {"name": "Shop", "customer_number": "C10010"},
            "contoso": {"name": "Contoso"},
        },
        "connections": {
            "acme-edi": {"system": "x12", "partner": "acme", "transport": {"kind": "folder"}},
            "shop": {"system": "shopify", "partner": "shop", "transport": {"kind": "webhook"}},
            "bc": {
                "system": "business_central",
                "partner": "contoso",
                "transport": {"kind": "poll"},
            },
        },
        "routes": [
            {"entity": "order", "to": "bc", "action": "create_order", "flow": "salesOrder"},
            {"entity": "order_change", "to": "bc", "action": "change_order", "flow": "change"},
            {"entity": "shipment", "to": "bc", "action": "post_shipment", "flow": "shipment"},
        ],
    }
)


def order(number: str = "PO-1", quantity: str = "2", **changes: Any) -> dict[str, Any]:
    """A canonical order of one line of item A at 10 USD."""
    given = {
        "po_number": number,
        "buyer": {"customer_number": "C10010"},
        "ship_to": {"address": {"lines": ["1 Dock Rd"], "city": "Reno", "postal_code": "89501"}},
        "currency": "USD",
        "ordered_on": "2026-05-04",
        "lines": [
            {
                "number": "1",
                "item": {"seller_sku": "A"},
                "quantity": {"value": quantity, "unit": "EA"},
                "unit_price": {"amount": "10", "currency": "USD"},
            }
        ],
    }
    return given | changes


def change(number: str = "PO-1", sequence: int | None = 1, quantity: str = "5") -> dict[str, Any]:
    """A canonical change of that order's line."""
    return {
        "po_number": number,
        "change_sequence": sequence,
        "kind": "change",
        "buyer": {"customer_number": "C10010"},
        "requested_on": "2026-05-05",
        "lines": [
            {
                "number": "1",
                "action": "change",
                "item": {"seller_sku": "A"},
                "quantity": {"value": quantity, "unit": "EA"},
            }
        ],
    }


def normalized(entity: str, canonical: dict[str, Any], partner: str = "acme") -> Normalized:
    """What a worker would make of a canonical document."""
    document = DOCUMENTS[entity].model_validate_json(orjson.dumps(canonical))
    facts = summarise(document)
    purchase = facts.buyer_account and facts.buyer_po
    return Normalized(
        position=0,
        place="ST 0001",
        flow="test",
        control={},
        entity=entity,
        canonical_json=document.model_dump_json(exclude_none=True).encode(),
        business_key=str(business_key(document, partner)),
        content_id=content_id(document),
        purpose=document.purpose(),
        sequence=document.sequence(),
        number=facts.number,
        reference_number=facts.reference_number,
        buyer_account=facts.buyer_account,
        buyer_po=facts.buyer_po,
        amount=None if facts.amount is None else format(facts.amount, "f"),
        currency=facts.currency,
        mapping_version="test",
        po_key=po_key(facts.buyer_account or "", facts.buyer_po or "") if purchase else None,
    )


@dataclass
class SaidWorkers:
    """Workers that make of each receipt what the test said; everything else is real."""

    said: dict[str, NormalizeResult]

    async def normalize(self, receipts: Sequence[Receipt]) -> list[NormalizeResult]:
        """Return what was said of each receipt."""
        return [self.said[receipt.id] for receipt in receipts]


class Dock:
    """The pipeline under test and its ledger."""

    def __init__(
        self, pipeline: Pipeline, engine: AsyncEngine, workers: SaidWorkers, client: Client
    ) -> None:
        self.pipeline = pipeline
        self.engine = engine
        self.client = client
        self.js = client.jetstream()
        self.store = ReceiptStore(self.js, Publisher(client, self.js))
        self._workers = workers
        self._count = 0

    def receipt(
        self,
        *documents: Normalized | Failed | Acknowledged,
        connection: str = "acme-edi",
        answers: tuple[Answer, ...] = (),
        body: bytes | None = None,
        interchanges: tuple[Interchange, ...] = (),
    ) -> Receipt:
        """Make a receipt of which the workers will say these documents."""
        self._count += 1
        name = f"r-{self._count}"
        self._workers.said[name] = NormalizeResult(documents, answers, interchanges)
        bytes_ = name.encode() if body is None else body
        return Receipt(name, connection, f"d-{name}", datetime.now(UTC), bytes_)

    async def take_in(
        self, *documents: Normalized | Failed | Acknowledged, **facts: Any
    ) -> Receipt:
        """Make a receipt and decide it."""
        receipt = self.receipt(*documents, **facts)
        await self.pipeline.normalize([receipt])
        return receipt

    async def rows(self, table: sa.Table) -> list[Mapping[str, Any]]:
        """Return all rows of a table."""
        async with self.engine.connect() as ledger:
            return [dict(row) for row in (await ledger.execute(sa.select(table))).mappings()]

    async def stock(self, item: str = "A", quantity: str = "99") -> None:
        """Let the ERP know an item, its stock, and the customer."""
        await self.take_in(
            _snapshot("item", {"number": item, "base_unit": "EA", "list_price": _price()}),
            _snapshot("customer", {"number": "C10010", "name": "Acme"}),
            _snapshot(
                "inventory",
                {
                    "number": item,
                    "item": {"seller_sku": item},
                    "on_hand": {"value": quantity, "unit": "EA"},
                },
            ),
            connection="bc",
        )


def _snapshot(entity: str, canonical: dict[str, Any]) -> Normalized:
    return normalized(entity, canonical, "contoso")


def _price() -> dict[str, Any]:
    return {"amount": format(Decimal(10), "f"), "currency": "USD"}


@asynccontextmanager
async def dock(addresses: Addresses, folder: Path, site: Site = SITE) -> AsyncIterator[Dock]:
    """Open a pipeline on fresh servers."""
    clock = SystemClock()
    engine = open_engine(addresses.database_url)
    client = await nats_client.connect(addresses.nats_url)
    js = client.jetstream()
    await topology.declare(js, "ledger-1", topology.Sizes())
    publisher = Publisher(client, js)
    workers = SaidWorkers({})
    seen = Seen.at(addresses.redis_url, clock)
    archive = Archive(folder / "archive")
    parts = Parts(
        site,
        engine,
        cast(WorkerPool, workers),
        Relay(engine, publisher),
        archive,
        seen,
        clock,
        Tracing(Metrics()),
    )
    try:
        yield Dock(Pipeline(parts), engine, workers, client)
    finally:
        await client.close()
        await seen.close()
        await engine.dispose()
        archive.close()


def verdicts(rows: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Return (verdict, state) of received document rows, oldest first."""
    received = [row for row in rows if row["direction"] == "in"]
    for row in sorted(received, key=lambda row: row["created_at"]):
        yield row["verdict"], row["state"]
