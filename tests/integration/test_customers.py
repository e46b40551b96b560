"""Of two customers each is told of its own orders alone, whoever shipped or billed them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from canonical.identity import BusinessKey, reference_for
from hub.ledger.tables import delivery, document, hold
from hub.release.holds import Act, release
from hub.servers.addresses import Addresses
from hub.settings.model import Site
from tests.support.ledgers import SITE, Dock, dock, normalized, order

X12 = {"system": "x12", "transport": {"kind": "folder"}}
GIVEN = SITE.model_dump(mode="json", exclude_unset=True)
CUSTOMERS = ("acme-edi", "north-edi")
TOLD = [
    ("order", "855"),
    ("order_response", "855"),
    ("shipment", "856"),
    ("invoice", "810"),
]
SOLD = Site.model_validate(
    GIVEN
    | {
        "partners": GIVEN["partners"] | {name: {"name": name} for name in ("north", "depot")},
        "connections": GIVEN["connections"]
        | {"north-edi": X12 | {"partner": "north"}, "depot-edi": X12 | {"partner": "depot"}},
        "routes": [
            *GIVEN["routes"],
            *(
                {"entity": entity, "to": to, "action": "send", "flow": flow}
                for entity, flow in TOLD
                for to in CUSTOMERS
            ),
        ],
    }
)
ACT = Act("ann", "agreed by phone", datetime(2026, 5, 5, tzinfo=UTC))


def reference(partner: str, number: str = "PO-1") -> str:
    return reference_for(BusinessKey("order", partner, number))


def sent(entity: str, number: str, of: str) -> dict[str, Any]:
    """A document of a kind, for the order of a reference."""
    quantity = {"value": "2", "unit": "EA"}
    line = {"number": "1", "item": {"seller_sku": "A"}}
    ten = {"amount": "10", "currency": "USD"}
    about: dict[str, Any]
    match entity:
        case "shipment":
            about = {
                "number": number,
                "shipped_on": "2026-05-06",
                "lines": [line | {"shipped": quantity}],
            }
        case "invoice":
            total = {"amount": "20", "currency": "USD"}
            about = {
                "number": number,
                "issued_on": "2026-05-09",
                "currency": "USD",
                "lines": [line | {"quantity": quantity, "unit_price": ten}],
                "total_without_tax": total,
                "total": total,
            }
        case _:
            about = {
                "po_number": number,
                "status": "accepted",
            }
    return about | {"order_reference": of}


@pytest.fixture
async def at(addresses: Addresses, tmp_path: Path) -> AsyncIterator[Dock]:
    async with dock(addresses, tmp_path, SOLD) as opened:
        await opened.stock()
        yield opened


async def told(at: Dock, entity: str) -> list[tuple[str, str]]:
    """(number, customer) of each document of a kind that is owed to a customer."""
    names = {row["id"]: row["number"] for row in await at.rows(document) if row["entity"] == entity}
    return sorted(
        (names[row["document_id"]], row["target"])
        for row in await at.rows(delivery)
        if row["document_id"] in names and row["target"] in CUSTOMERS
    )


async def three_orders(at: Dock) -> None:
    """Orders of both customers and of the shop."""
    for partner, channel in (("acme", "acme-edi"), ("north", "north-edi"), ("shop", "shop")):
        lines = order(
            f"PO-{partner.upper()}", buyer={"customer_number": "C10010"}, ship_method="UPSN"
        )
        await at.take_in(normalized("order", lines, partner), connection=channel)


@pytest.mark.parametrize("source", ["depot-edi", "bc"])
@pytest.mark.parametrize("entity", ["order_response", "shipment", "invoice"])
async def test_a_document_is_told_to_whose_order_it_is_for(
    at: Dock, entity: str, source: str
) -> None:
    await three_orders(at)
    for partner in ("acme", "north", "shop"):
        of = reference(partner, f"PO-{partner.upper()}")
        body = sent(entity, f"N-{partner}", of)
        await at.take_in(normalized(entity, body, "depot"), connection=source)
    assert await told(at, entity) == [("N-acme", "acme-edi"), ("N-north", "north-edi")]


async def test_an_order_is_answered_to_who_sent_it(at: Dock) -> None:
    await three_orders(at)
    assert await told(at, "order") == [("PO-ACME", "acme-edi"), ("PO-NORTH", "north-edi")]


@pytest.mark.parametrize("entity", ["order_response", "shipment", "invoice"])
async def test_what_is_for_no_order_of_ours_goes_to_no_customer_and_says_so(
    at: Dock, entity: str
) -> None:
    await three_orders(at)
    body = sent(entity, "N-1", reference("acme", "PO-2"))
    await at.take_in(normalized(entity, body, "depot"), connection="depot-edi")
    assert await told(at, entity) == []
    (row,) = [row for row in await at.rows(document) if row["entity"] == entity]
    assert (row["code"], row["place"]) == ("order_unknown", "order_reference")
    assert "acme-edi, north-edi" in row["detail"]
    others = [row["target"] for row in await at.rows(delivery) if row["document_id"] == row["id"]]
    assert set(others) <= {"bc"}


async def test_an_order_and_what_is_for_it_may_come_in_one_batch(at: Dock) -> None:
    of = reference("north")
    await at.pipeline.normalize(
        [
            at.receipt(normalized("order", order(), "north"), connection="north-edi"),
            at.receipt(
                normalized("shipment", sent("shipment", "S-1", of), "depot"),
                connection="depot-edi",
            ),
        ]
    )
    assert await told(at, "shipment") == [("S-1", "north-edi")]


async def test_of_a_refused_order_nothing_is_told(at: Dock) -> None:
    await at.take_in(normalized("order", order(quantity="500")))
    from_hold = await at.rows(hold)
    assert [row["state"] for row in from_hold] == ["open"]
    body = sent("shipment", "S-1", reference("north"))
    await at.take_in(normalized("shipment", body, "depot"), connection="depot-edi")
    assert await told(at, "shipment") == []


@pytest.mark.parametrize("partner", ["acme", "north"])
async def test_a_released_hold_is_answered_to_who_sent_it(at: Dock, partner: str) -> None:
    held = normalized("order", order(quantity="500"), partner)
    await at.take_in(held, connection=f"{partner}-edi")
    assert await told(at, "order") == []
    (row,) = await at.rows(hold)
    async with at.engine.begin() as ledger:
        await release(ledger, row["id"], ACT, SOLD)
    assert await told(at, "order") == [("PO-1", f"{partner}-edi")]
