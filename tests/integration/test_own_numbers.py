"""A customer's own numbers come back on what we send it, though nobody in between repeated them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from canonical.identity import BusinessKey, reference_for
from connectors.base import Numbers
from connectors.registry import CONNECTORS
from hub.ledger.delivery_rows import DeliveryRow, DocumentRow
from hub.mapping.files import shipped_mappings
from hub.render import WorkerRenderer
from hub.servers.addresses import Addresses
from hub.settings.model import Workers
from hub.workers.pool import WorkerPool
from hub.workers.spec import ConnectionSpec, WorkerSpec, worker_spec
from tests.support.ledgers import SITE, Dock, change, dock, normalized, order

NOW = datetime(2026, 5, 9, tzinfo=UTC)
TEN = {"amount": "10", "currency": "USD"}
LINE = {"number": "001", "item": {"seller_sku": "A", "buyer_sku": "A-10"}, "unit_price": TEN}
ORDER = order(
    release="7",
    lines=[LINE | {"quantity": {"value": "2", "unit": "EA"}}],
    references=[{"kind": "DP", "value": "038"}],
)
REFERENCE = reference_for(BusinessKey("order", "acme", "PO-1", "7"))
SHIPMENT = {
    "number": "S-1",
    "order_reference": REFERENCE,
    "shipped_on": "2026-05-06",
    "lines": [
        {
            "number": "001",
            "item": {"seller_sku": "A"},
            "shipped": {"value": "2", "unit": "EA"},
        }
    ],
}
INVOICE = {
    "number": "INV-1",
    "order_reference": REFERENCE,
    "issued_on": "2026-05-09",
    "currency": "USD",
    "lines": [
        {
            "number": "10000",
            "item": {"seller_sku": "A"},
            "quantity": {"value": "2", "unit": "EA"},
            "unit_price": TEN,
        }
    ],
    "total_without_tax": {"amount": "20", "currency": "USD"},
    "total": {"amount": "20", "currency": "USD"},
}


@pytest.fixture
async def at(addresses: Addresses, tmp_path: Path) -> AsyncIterator[Dock]:
    async with dock(addresses, tmp_path) as opened:
        await opened.stock()
        yield opened


@pytest.fixture
async def renderer(at: Dock) -> AsyncIterator[WorkerRenderer]:
    spec: WorkerSpec = worker_spec(SITE, CONNECTORS, shipped_mappings())
    acme: ConnectionSpec = spec.connections["acme-edi"]
    options = {"our_id": "US", "partner_id": "ACME"}
    known = {"acme-edi": replace(acme, options=options)}
    async with WorkerPool(replace(spec, connections=known), Workers(processes=1)) as workers:
        yield WorkerRenderer(workers, SITE.control_points, at.engine)


async def written(renderer: WorkerRenderer, entity: str, flow: str, body: dict[str, Any]) -> str:
    """What the customer gets of a document."""
    document = DocumentRow(
        "d-1", "in", "r-1", 0, "acme-edi", "acme", entity, flow, "key", "", 1, "original",
        body["number"], body["order_reference"], None, None, body, None, None, NOW,
    )  # fmt: skip
    delivery = DeliveryRow(
        "v-1", "d-1", "acme-edi", "send", flow, "", "key", 1, None, "in_flight", 1, REFERENCE, None, NOW,
    )  # fmt: skip
    rendered = await renderer.render(delivery, document, Numbers(1, 1, NOW))
    return rendered.encoded.decode()


async def test_a_ship_notice_has_the_customers_own_numbers(
    at: Dock, renderer: WorkerRenderer
) -> None:
    await at.take_in(normalized("order", ORDER))
    text = await written(renderer, "shipment", "856", SHIPMENT)
    for segment in ("PRF*PO-1*7~", "REF*DP*038~", "LIN*001*BP*A-10*VN*A~"):
        assert segment in text


async def test_an_invoice_has_them_too(at: Dock, renderer: WorkerRenderer) -> None:
    await at.take_in(normalized("order", ORDER))
    text = await written(renderer, "invoice", "810", INVOICE)
    for segment in ("BIG*20260509*INV-1*20260504*PO-1*7~", "REF*DP*038~"):
        assert segment in text
    assert "IT1*001*2*EA*10*PE*BP*A-10*VN*A~" in text


async def test_the_order_is_told_as_its_changes_have_left_it(
    at: Dock, renderer: WorkerRenderer
) -> None:
    await at.take_in(normalized("order", ORDER))
    added = {
        "number": "002",
        "action": "add",
        "item": {"seller_sku": "B", "buyer_sku": "B-20"},
        "quantity": {"value": "1", "unit": "EA"},
        "unit_price": TEN,
    }
    await at.stock("B")
    await at.take_in(normalized("order_change", change() | {"release": "7", "lines": [added]}))
    lines = [{**INVOICE["lines"][0], "item": {"seller_sku": "B"}}]  # type: ignore[index]
    text = await written(renderer, "invoice", "810", INVOICE | {"lines": lines})
    assert "IT1*002*2*EA*10*PE*BP*B-20*VN*B~" in text


@pytest.mark.usefixtures("at")
async def test_without_the_order_only_what_the_document_says_is_told(
    renderer: WorkerRenderer,
) -> None:
    text = await written(renderer, "invoice", "810", INVOICE)
    assert "BIG*20260509*INV-1~" in text
    assert "IT1*10000*2*EA*10*PE*VN*A~" in text
