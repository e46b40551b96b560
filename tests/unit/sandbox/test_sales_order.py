"""The rules of a sales order."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from sandbox import schema
from sandbox.body_fields import check_fields
from sandbox.json_text import Row
from sandbox.odata import ODataError
from sandbox.sales_order import Desk, change, change_line, create, create_line


def _body(**more: object) -> Row:
    line = {"lineType": "Item", "lineObjectNumber": "1896-S", "quantity": 3}
    body = {"customerNumber": "C10010", "externalDocumentNumber": "XD1", "salesOrderLines": [line]}
    return body | more


def _line(**more: object) -> Row:
    return {"lineType": "Item", "lineObjectNumber": "1928-S", "quantity": 2} | more


def _code(refusal: pytest.ExceptionInfo[ODataError]) -> str:
    assert refusal.value.status == 400
    return refusal.value.code


def test_a_new_order_has_its_customers_addresses_its_number_and_its_totals(desk: Desk) -> None:
    order, (line,) = create(_body(), desk)
    assert order["number"] == "S-ORD101001"
    assert order["customerName"] == order["billToName"] == "Acme Distributors"
    assert order["shipToCity"] == "Springfield"
    assert order["status"] == "Draft"
    assert order["totalAmountExcludingTax"] == Decimal("3002.40")
    assert line["sequence"] == 10_000
    assert line["unitPrice"] == Decimal("1000.8")
    assert (line["shipQuantity"], line["invoiceQuantity"]) == (3, 3)


def test_a_line_takes_the_clients_price_and_what_the_client_says_of_the_address(desk: Desk) -> None:
    order, (line,) = create(
        _body(shipToCity="Peoria", salesOrderLines=[_line(unitPrice=Decimal("50.555"))]), desk
    )
    assert order["shipToCity"] == "Peoria"
    assert line["amountExcludingTax"] == Decimal("101.11")


def test_lines_are_numbered_in_steps(desk: Desk) -> None:
    _, lines = create(_body(salesOrderLines=[_line(), _line(sequence=15_000), _line()]), desk)
    assert [line["sequence"] for line in lines] == [10_000, 15_000, 25_000]


@pytest.mark.parametrize(
    ("body", "code", "says"),
    [
        (_body(customerNumber="C99999"), "Application_DialogException", "cannot be found"),
        (_body(customerNumber=""), "Application_DialogException", "must be provided"),
        (_body(customerNumber="C10040"), "Application_DialogException", "blocked with type All"),
        (
            _body(salesOrderLines=[_line(lineObjectNumber="X")]),
            "Application_DialogException",
            "Item",
        ),
        (
            _body(salesOrderLines=[_line(unitOfMeasureCode="BOX")]),
            "Internal_InvalidTableRelation",
            "Unit of Measure",
        ),
        (_body(salesOrderLines=[_line(quantity="2")]), "BadRequest", "quantity"),
        (
            _body(salesOrderLines=[_line(quantity=-2)]),
            "Application_FieldValidationException",
            "positive",
        ),
        (_body(salesOrderLines="none"), "BadRequest", "Invalid"),
        (_body(salesOrderLines=["none"]), "BadRequest", "Invalid"),
        (_body(colour="red"), "BadRequest", "does not exist on type"),
        (_body(number="1"), "BadRequest_InvalidOperation", "read-only"),
        (_body(externalDocumentNumber="X" * 36), "Application_StringExceededLength", "35"),
        (_body(externalDocumentNumber=None), "BadRequest", "convert"),
        (_body(orderDate="02/03/2026"), "BadRequest", "orderDate"),
        (_body(orderDate="2026-02-30"), "BadRequest", "orderDate"),
        (_body(customerId="x"), "BadRequest", "customerId"),
        (
            _body(salesOrderLines=[_line(quantity=10**9, unitPrice=10**9)]),
            "Application_EvaluateException",
            "too large",
        ),
    ],
)
def test_what_the_product_would_refuse_is_refused(
    desk: Desk, body: Row, code: str, says: str
) -> None:
    with pytest.raises(ODataError, match=says) as refusal:
        create(body, desk)
    assert _code(refusal) == code


def test_a_blocked_item_cannot_be_sold(desk: Desk) -> None:
    item = desk.company.item("1896-S")
    assert item is not None
    desk.company.items.put(item | {"blocked": True})
    with pytest.raises(ODataError, match="blocked"):
        create(_body(), desk)


def test_items_and_customers_can_be_named_by_id(desk: Desk) -> None:
    customer, item = desk.company.customer("C10020"), desk.company.item("1900-S")
    assert customer is not None
    assert item is not None
    line = {"itemId": item["id"], "quantity": 1}
    order, (row,) = create({"customerId": customer["id"], "salesOrderLines": [line]}, desk)
    assert order["customerNumber"] == "C10020"
    assert row["lineObjectNumber"] == "1900-S"


def test_comments_and_accounts_are_lines_too(desk: Desk) -> None:
    freight = {"lineType": "Account", "lineObjectNumber": "40410", "quantity": 1, "unitPrice": 12}
    note = {"lineType": "Comment", "description": "Leave at the dock"}
    order, lines = create(_body(salesOrderLines=[freight, note]), desk)
    assert order["totalAmountExcludingTax"] == 12
    assert lines[1]["description"] == "Leave at the dock"
    with pytest.raises(ODataError, match="Account"):
        create_line({"lineType": "Account", "lineObjectNumber": "1"}, order, lines, desk)


def test_a_new_quantity_sets_what_is_to_be_shipped_and_invoiced(desk: Desk) -> None:
    _, (line,) = create(_body(), desk)
    changed = change_line(line, {"quantity": 5})
    assert (changed["shipQuantity"], changed["invoiceQuantity"]) == (5, 5)
    assert changed["version"] == line["version"] + 1


def test_a_quantity_to_ship_sets_what_is_to_be_invoiced_unless_that_is_given_too(
    desk: Desk,
) -> None:
    _, (line,) = create(_body(), desk)
    assert change_line(line, {"shipQuantity": 2})["invoiceQuantity"] == 2
    assert change_line(line, {"shipQuantity": 2, "invoiceQuantity": 1})["invoiceQuantity"] == 1


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"shipQuantity": 4}, "cannot ship more than 3"),
        ({"shipQuantity": 1, "invoiceQuantity": 2}, "cannot invoice more than 1"),
        ({"shipQuantity": -1}, "positive"),
        ({"lineObjectNumber": "1900-S"}, "cannot be modified"),
        ({"sequence": 20_000}, "cannot be modified"),
    ],
)
def test_a_line_refuses_what_cannot_be(desk: Desk, body: Row, says: str) -> None:
    _, (line,) = create(_body(), desk)
    with pytest.raises(ODataError, match=says):
        change_line(line, body)


def test_a_quantity_below_what_is_shipped_is_refused(desk: Desk) -> None:
    _, (line,) = create(_body(), desk)
    with pytest.raises(ODataError, match="less than the quantity shipped"):
        change_line(line | {"shippedQuantity": 2}, {"quantity": 1})


def test_two_lines_cannot_share_a_sequence(desk: Desk) -> None:
    order, lines = create(_body(), desk)
    with pytest.raises(ODataError) as refusal:
        create_line(_line(sequence=10_000), order, lines, desk)
    assert _code(refusal) == "Internal_EntityWithSameKeyExists"


def test_the_header_changes_but_not_its_customer_once_there_are_lines(desk: Desk) -> None:
    order, lines = create(_body(), desk)
    changed = change(order, lines, {"requestedDeliveryDate": "2026-04-01"}, desk)
    assert changed["requestedDeliveryDate"] == "2026-04-01"
    assert changed["version"] == order["version"] + 1
    with pytest.raises(ODataError, match="sell-to customer"):
        change(order, lines, {"customerNumber": "C10020"}, desk)


def test_numbers_with_more_digits_than_json_keeps_are_refused() -> None:
    with pytest.raises(ODataError, match="quantity"):
        check_fields({"quantity": Decimal("0.1234567890123456789")}, schema.SALES_ORDER_LINE)
    with pytest.raises(ODataError, match="quantity"):
        check_fields({"quantity": True}, schema.SALES_ORDER_LINE)


def test_numbers_go_on_after_orders_are_gone(desk: Desk) -> None:
    desk.company.orders_ever = 7
    order, _ = create(_body(), replace(desk))
    assert order["number"] == "S-ORD101008"
