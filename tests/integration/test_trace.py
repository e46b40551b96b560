"""`crossdock trace` on a real ledger: what is waiting for what, quantities, forms, findings."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from canonical.identity import BusinessKey, reference_for
from hub.ledger.tables import delivery, document, finding
from hub.servers.addresses import Addresses
from tests.support.ledgers import Dock, change, dock, normalized, order
from tests.support.site_file import command, environment, write_site


@pytest.fixture
async def at(addresses: Addresses, tmp_path: Path) -> AsyncIterator[Dock]:
    async with dock(addresses, tmp_path) as opened:
        await opened.stock()
        await opened.take_in(normalized("order", order()), body=b"850 as it came")
        yield opened


@pytest.fixture
def site(addresses: Addresses, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, value in environment(addresses).items():
        monkeypatch.setenv(name, value)
    return write_site(tmp_path, reconcile={"packs": {"A": {"XCT": "6"}}})


async def traced(site: Path, *arguments: str) -> dict[str, Any]:
    result = await command(site, "trace", "PO-1", "--output", "json", *arguments)
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


async def ship(at: Dock, unit: str, quantity: str) -> None:
    (row,) = [row for row in await at.rows(document) if row["entity"] == "order"]
    line = {
        "number": "1",
        "item": {"seller_sku": "A"},
        "shipped": {"value": quantity, "unit": unit},
    }
    shipped = {
        "number": "S-1",
        "order_reference": row["reference"],
        "shipped_on": "2026-05-06",
        "lines": [line],
    }
    await at.take_in(normalized("shipment", shipped, "shop"))


async def test_the_quantities_of_a_line_and_their_conversions_are_shown(
    at: Dock, site: Path
) -> None:
    await at.take_in(normalized("order_change", change(quantity="12")))
    await ship(at, "XCT", "1")
    (line,) = (await traced(site))["lines"]
    assert (line["ordered"], line["shipped"], line["open"], line["unit"]) == ("12", "6", "6", "EA")
    assert line["adds_up"]
    (turned,) = line["conversions"]
    assert (turned["value"], turned["unit"], turned["factor"]) == ("1", "XCT", "6")


async def test_a_waiting_delivery_says_behind_what_and_until_when(at: Dock, site: Path) -> None:
    await at.take_in(normalized("order_change", change()))
    later = datetime(2026, 5, 6, tzinfo=UTC)
    async with at.engine.begin() as ledger:
        rows = (await ledger.execute(sa.select(delivery))).mappings()
        first, second = sorted(rows, key=lambda row: row["version"])
        await ledger.execute(
            sa.update(delivery)
            .where(delivery.c.id == first["id"])
            .values(state="dead", code="refused")
        )
        await ledger.execute(
            sa.update(delivery)
            .where(delivery.c.id == second["id"])
            .values(code="waiting_behind", place=first["id"], next_at=later)
        )
    found = await traced(site)
    waits = {row["action"]: (row["waiting"], row["next_at"]) for row in found["deliveries"]}
    assert waits["change_order"] == (
        "behind create_order of order PO-1 v1, which is dead (refused)",
        "2026-05-06T00:00:00Z",
    )


@pytest.mark.usefixtures("at")
async def test_the_forms_of_a_document_are_shown_on_request_only(site: Path) -> None:
    assert "forms" not in await traced(site)
    found = await traced(site, "--form", "raw", "--form", "canonical", "--form", "source")
    forms = {each["form"]: each for each in found["forms"]}
    assert forms["raw"]["text"] == "850 as it came"
    assert forms["canonical"]["json"]["po_number"] == "PO-1"
    assert forms["source"]["code"] == "interchange_missing"  # the words above are no X12


async def test_a_finding_is_part_of_the_thread_with_its_money_and_owner(
    at: Dock, site: Path
) -> None:
    now = datetime.now(UTC)
    (reference,) = [row["reference"] for row in await at.rows(document) if row["entity"] == "order"]
    async with at.engine.begin() as ledger:
        await ledger.execute(
            sa.insert(finding).values(
                id="f", job="ledger-vs-target", subject="target/bc/create_order/SO-1", state="open",
                reference=reference,
                cause="not billed", remedy="bill it", owner="billing", amount=20, currency="USD",
                since=now, opened_at=now, last_seen_at=now,
            )
        )  # fmt: skip
    found = await traced(site)
    assert [(row["owner"], row["amount"]) for row in found["findings"]] == [("billing", "20")]
    assert "finding, ledger-vs-target" in [entry["about"] for entry in found["timeline"]]
    result = await command(site, "trace", "PO-1")
    assert result.exit_code == 0
    assert "Line quantities" in result.stdout


async def test_a_key_that_nobody_knows_is_told_with_its_exit_code(site: Path) -> None:
    assert (await command(site, "trace", "NO-SUCH")).exit_code == 3


async def test_what_a_supplier_answers_and_a_warehouse_counts_is_part_of_the_purchase(
    at: Dock, tmp_path: Path, site: Path
) -> None:
    purchases = write_site(tmp_path, reconcile={"purchasing": ["acme-edi"]})
    assert site == purchases
    reference = reference_for(BusinessKey("order", "acme", "PO-1"))
    answer = {"po_number": "PO-1", "order_reference": reference, "status": "accepted"}
    line = {"number": "1", "item": {"seller_sku": "A"}}
    counted = {
        "number": "RC-1",
        "order_reference": reference,
        "received_on": "2026-05-09",
        "lines": [line | {"received": {"value": "1", "unit": "EA"}}],
    }
    bill = {
        "number": "INV-1",
        "order_reference": reference,
        "issued_on": "2026-05-09",
        "currency": "USD",
        "lines": [line | {"quantity": {"value": "2", "unit": "EA"}}],
        "total_without_tax": {"amount": "20", "currency": "USD"},
        "total": {"amount": "20", "currency": "USD"},
    }
    await ship(at, "EA", "2")
    for entity, body in (("order_response", answer), ("receiving_advice", counted)):
        await at.take_in(normalized(entity, body, "shop"))
    await at.take_in(normalized("invoice", bill, "shop"))
    found = await traced(purchases)
    assert [row["entity"] for row in found["documents"]] == [
        "order", "shipment", "order_response", "receiving_advice", "invoice",
    ]  # fmt: skip
    (row,) = found["lines"]
    assert (row["ordered"], row["shipped"], row["invoiced"]) == ("2", "1", "2")


async def test_a_payment_is_found_by_the_invoice_and_a_carriers_answer_by_the_load(
    at: Dock, site: Path
) -> None:
    reference = reference_for(BusinessKey("order", "acme", "PO-1"))
    money = {"amount": "20", "currency": "USD"}
    bill = {
        "number": "INV-1",
        "order_reference": reference,
        "issued_on": "2026-05-09",
        "currency": "USD",
        "total_without_tax": money,
        "total": money,
    }
    paid = {"number": "ACH-1", "paid_on": "2026-06-09", "total": money}
    load = {"number": "LD-1", "order_reference": reference, "carrier": "HJBT", "payment": "PP"}
    for entity, body in (
        ("invoice", bill),
        ("remittance", paid | {"items": [{"number": "INV-0"}, {"number": "INV-1"}]}),
        ("remittance", paid | {"number": "ACH-2", "items": [{"number": "INV-2"}]}),
        ("load_tender", load),
        ("tender_response", {"number": "LD-1", "status": "accepted"}),
        ("tender_response", {"number": "LD-2", "status": "accepted"}),
    ):
        await at.take_in(normalized(entity, body, "shop"))
    found = await traced(site)
    assert [(row["entity"], row["number"]) for row in found["documents"]] == [
        ("order", "PO-1"), ("invoice", "INV-1"), ("remittance", "ACH-1"),
        ("load_tender", "LD-1"), ("tender_response", "LD-1"),
    ]  # fmt: skip
