"""Posting a sales order."""

from __future__ import annotations

from decimal import Decimal

import pytest

from sandbox.json_text import Row
from sandbox.odata import ODataError
from sandbox.posting import Posting, moved_items, post
from sandbox.sales_order import Desk, change_line, create


@pytest.fixture
def order(desk: Desk) -> tuple[Row, list[Row]]:
    lines = [
        {"lineObjectNumber": "1896-S", "quantity": 10, "discountAmount": 8},
        {"lineObjectNumber": "1928-S", "quantity": 4, "description2": "note"},
    ]
    return create({"customerNumber": "C10010", "salesOrderLines": lines}, desk)


def _post(order: tuple[Row, list[Row]], desk: Desk, *, lose_invoice: bool = False) -> Posting:
    return post(order[0], order[1], desk, lose_invoice=lose_invoice)


def test_a_complete_posting_makes_both_documents_and_the_order_goes(
    order: tuple[Row, list[Row]], desk: Desk
) -> None:
    posted = _post(order, desk)
    assert posted.shipment is not None
    assert posted.invoice is not None
    assert posted.order_gone
    header = posted.invoice.header
    assert header["id"] not in {order[0]["id"], posted.shipment.header["id"]}
    assert header["orderId"] == order[0]["id"]
    assert header["orderNumber"] == order[0]["number"]
    assert header["number"] == "PS-INV103001"
    assert header["totalAmountExcludingTax"] == order[0]["totalAmountExcludingTax"]
    assert posted.stock == {"1896-S": "-10", "1928-S": "-4"}
    assert [line["description2"] for line in posted.invoice.lines[1:]] == ["note"]


def test_a_partial_posting_leaves_the_rest_ready_for_the_next(
    order: tuple[Row, list[Row]], desk: Desk
) -> None:
    header, (first, second) = order
    lines = [change_line(first, {"shipQuantity": 4}), change_line(second, {"shipQuantity": 0})]
    posted = _post((header, lines), desk)
    assert not posted.order_gone
    assert posted.invoice is not None
    assert moved_items(posted.invoice) == [{"item": "1896-S", "quantity": "4"}]
    assert [line["quantity"] for line in posted.invoice.lines] == [4, 0]
    assert posted.invoice.lines[0]["amountExcludingTax"] == Decimal("4000.00")
    left = posted.lines[0]
    assert (left["shippedQuantity"], left["invoicedQuantity"]) == (4, 4)
    assert (left["shipQuantity"], left["invoiceQuantity"]) == (6, 6)
    assert posted.stock == {"1896-S": "-4"}


def test_a_lost_invoice_can_be_posted_later_alone(order: tuple[Row, list[Row]], desk: Desk) -> None:
    lost = _post(order, desk, lose_invoice=True)
    assert lost.shipment is not None
    assert lost.invoice is None
    assert not lost.order_gone
    assert lost.order["fullyShipped"] is True
    later = _post((lost.order, lost.lines), desk)
    assert later.shipment is None
    assert later.invoice is not None
    assert later.order_gone
    assert moved_items(later.invoice)[0]["quantity"] == "10"


def test_there_may_be_nothing_to_post(order: tuple[Row, list[Row]], desk: Desk) -> None:
    header, lines = order
    idle = [change_line(line, {"shipQuantity": 0}) for line in lines]
    with pytest.raises(ODataError, match="nothing to post"):
        _post((header, idle), desk)


def test_a_line_without_a_quantity_stops_the_posting(
    order: tuple[Row, list[Row]], desk: Desk
) -> None:
    header, (first, second) = order
    with pytest.raises(ODataError, match="no quantity"):
        _post((header, [first, change_line(second, {"quantity": 0})]), desk)


def test_an_order_to_be_shipped_complete_is_not_shipped_in_parts(
    order: tuple[Row, list[Row]], desk: Desk
) -> None:
    header, (first, second) = order
    lines = [change_line(first, {"shipQuantity": 4}), second]
    with pytest.raises(ODataError, match="complete shipment"):
        _post((header | {"partialShipping": False}, lines), desk)
    assert _post((header | {"partialShipping": False}, [first, second]), desk).order_gone
