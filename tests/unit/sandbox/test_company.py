"""The books are a fold over the journal: after a restart they are the same."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from sandbox import reference_data
from sandbox.company import Company
from sandbox.json_text import dumps
from sandbox.order_desk import OrderDesk
from sandbox.world import World


def _new_company() -> Company:
    return Company(reference_data.COMPANY, reference_data.customers(), reference_data.items())


def _snapshot(company: Company) -> dict[str, list[bytes]]:
    collections = (
        company.orders, company.order_lines, company.invoices, company.invoice_lines,
        company.shipments, company.shipment_lines, company.items, company.customers,
    )  # fmt: skip
    return {
        rows.entity.type_name: [dumps(rows.entity.render(row)) for row in rows.candidates({})]
        for rows in collections
    }


def _body(reference: str, quantity: int) -> dict[str, object]:
    lines = [
        {"lineObjectNumber": "1896-S", "quantity": quantity},
        {"lineObjectNumber": "1928-S", "quantity": Decimal("2.5")},
    ]
    header = {"customerNumber": "C10010", "externalDocumentNumber": reference}
    return {**header, "salesOrderLines": lines}


def test_a_restart_rebuilds_every_row(new_world: Callable[..., World]) -> None:
    company = _new_company()
    desk = OrderDesk(company, new_world(company))
    first = desk.create_order(_body("XD1", 4))
    second = desk.create_order(_body("XD2", 1))
    third = desk.create_order(_body("XD3", 1))
    line, other = company.lines_of(first["id"])
    desk.change_line(line["id"], "*", {"shipQuantity": 3})
    desk.ship_and_invoice(first["id"])
    desk.ship_and_invoice(second["id"])
    desk.add_line(first["id"], {"lineObjectNumber": "1900-S", "quantity": 1})
    desk.delete_line(company.lines_of(first["id"])[2]["id"], "*")
    desk.delete_order(third["id"], "*")
    desk.change_order(first["id"], "*", {"requestedDeliveryDate": "2026-05-01"})
    before = _snapshot(company)

    again = _new_company()
    new_world(again)
    assert _snapshot(again) == before
    assert again.orders_ever == 3
    assert len(again.orders) == 1
    assert again.order_lines.get(other["id"]) is not None
    item = again.item("1896-S")
    assert item is not None
    assert item["inventory"] == 5000 - 3 - 1


def test_an_order_is_found_through_the_ids_of_a_path(new_world: Callable[..., World]) -> None:
    company = _new_company()
    desk = OrderDesk(company, new_world(company))
    order = desk.create_order(_body("XD1", 4))
    line = company.lines_of(order["id"])[0]
    assert company.references_of(f"/salesOrders({order['id'].upper()})/x") == {"XD1"}
    assert company.references_of(f"/salesOrderLines({line['id']})") == {"XD1"}
    assert company.references_of("/salesOrders(1)") == set()
