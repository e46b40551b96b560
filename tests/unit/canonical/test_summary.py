"""The few facts that the ledger keeps of every document."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, ClassVar

import pytest

from canonical import Document
from canonical.examples import EXAMPLES
from canonical.order import Order
from canonical.summary import Summary, summarise

MakeOrder = Callable[..., Order]

EXPECTED = {
    "order": Summary(
        "4500017843", None, "C10010", "4500017843", Decimal("4098.80"), "USD"
    ),
    "order_change": Summary("4500017843", None, "C10010", "4500017843"),
    "shipment": Summary("LS-338120", "XDPCVYNDOA7Y", None, "4500017843"),
    "order_response": Summary("PO-106023", "XDPCVYNDOA7Y"),
    "receiving_advice": Summary("RC-55310", "XDPCVYNDOA7Y", None, "PO-106023"),
    "remittance": Summary("ACH-118207", amount=Decimal("2780.14"), currency="USD"),
    "stock_adjustment": Summary("ADJ-7712"),
    "load_tender": Summary("LD-204501", "XDPCVYNDOA7Y"),
    "tender_response": Summary("LD-204501", "XDPCVYNDOA7Y"),
    "application_advice": Summary("AA-3304"),
    "tracking": Summary("1Z5338FF0107231059"),
    "invoice": Summary(
        "PS-INV103217", "XDPCVYNDOA7Y", "C10010", None, Decimal("2831.38"), "USD"
    ),
    "inventory": Summary("1896-S@MAIN"),
    "item": Summary("1896-S"),
    "customer": Summary("C10010", None, "C10010"),
}  # fmt: skip


def line(quantity: str, price: dict[str, str] | None) -> dict[str, Any]:
    body = EXAMPLES["order"]["lines"][1] | {"quantity": {"value": quantity, "unit": "EA"}}
    return {k: v for k, v in (body | {"unit_price": price}).items() if v is not None}


def usd(amount: str, per: str = "1") -> dict[str, str]:
    return {"amount": amount, "currency": "USD", "per": per}


def test_every_entity_has_its_summary(document: Document) -> None:
    assert summarise(document) == EXPECTED[document.entity]


def test_a_document_of_no_known_entity_is_not_passed_over() -> None:
    class Parcel(Document):
        entity: ClassVar[str] = "parcel"

    with pytest.raises(TypeError, match="parcel"):
        summarise(Parcel())


def test_the_buyers_own_po_number_goes_before_the_channels(make_order: MakeOrder) -> None:
    summary = summarise(make_order(po_number="#1001", buyer_po_number="4500017843"))
    assert (summary.number, summary.buyer_po) == ("#1001", "4500017843")


def test_without_a_declared_total_the_priced_lines_are_added_up(make_order: MakeOrder) -> None:
    lines = [line("12", usd("649.40")), line("3", usd("10.005")), line("5", None)]
    summary = summarise(make_order(total=None, lines=lines))
    assert summary.amount == Decimal("7822.82")  # 7792.80 + 30.015
    assert summary.currency == "USD"


def test_a_price_per_hundred_is_added_up_as_such(make_order: MakeOrder) -> None:
    order = make_order(total=None, lines=[line("250", usd("12", per="100"))])
    assert summarise(order).amount == Decimal("30.00")


def test_an_order_without_any_price_has_no_amount(make_order: MakeOrder) -> None:
    summary = summarise(make_order(total=None, lines=[line("12", None)]))
    assert (summary.amount, summary.currency) == (None, "USD")


def test_prices_in_two_currencies_are_not_added_up(make_order: MakeOrder) -> None:
    lines = [line("1", usd("1")), line("1", {"amount": "1", "currency": "EUR"})]
    assert summarise(make_order(total=None, lines=lines)).amount is None


@pytest.mark.parametrize("sign", ["", "-"])
def test_a_sum_beyond_any_amount_is_unknown_and_no_crash(make_order: MakeOrder, sign: str) -> None:
    most = "9" * 18
    order = make_order(total=None, lines=[line(sign + most, usd(most + ".999999"))])
    assert summarise(order).amount is None


def test_the_sum_of_a_currency_without_decimals_has_none(make_order: MakeOrder) -> None:
    yen = {"amount": "33.5", "currency": "JPY"}
    order = make_order(total=None, currency="JPY", lines=[line("1", yen)])
    assert str(summarise(order).amount) == "34"
