"""The codec: a page becomes documents, a document becomes exact JSON, bad bytes become refusals."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canonical.errors import Rejected
from connectors.base import Numbers, Receipt, Refusal, SourceDocument
from connectors.business_central.codec import BusinessCentralCodec
from tests.support.business_central import NOW

CODEC = BusinessCentralCodec()
NUMBERS = Numbers(interchange=0, group=0, at=NOW)


def receipt(body: bytes, flow: str) -> Receipt:
    return Receipt("r-1", "bc", "d-1", NOW, body, flow)


def decode(flow: str, *rows: Any) -> tuple[SourceDocument | Refusal, ...]:
    return CODEC.decode(receipt(json.dumps({"value": rows}).encode(), flow)).documents


def test_every_row_is_a_document_that_says_where_it_stood() -> None:
    found = decode("customers", {"number": "A"}, {"number": "B"})
    assert [(one.flow, one.position, one.where) for one in found] == [
        ("customers", 0, "value[0]"),
        ("customers", 1, "value[1]"),
    ]


def test_an_item_is_a_card_and_a_stock_as_of_the_poll() -> None:
    card, stock = decode("items", {"number": "A", "inventory": 5, "type": "Inventory"})
    assert (card.flow, stock.flow) == ("items", "items_inventory")
    assert isinstance(stock, SourceDocument)
    assert stock.control == {"polled_at": "2026-05-05T10:00:00+00:00"}
    assert stock.position == 1


@pytest.mark.parametrize("kind", ["Service", "Non-Inventory", "Non_x002D_Inventory"])
def test_what_is_not_kept_in_stock_has_none(kind: str) -> None:
    assert [one.flow for one in decode("items", {"number": "A", "type": kind})] == ["items"]


@pytest.mark.parametrize("status", ["Draft", "In Review", "In_x0020_Review"])
def test_an_invoice_that_is_not_posted_is_none_yet(status: str) -> None:
    assert decode("salesInvoices", {"number": "1", "status": status}) == ()
    assert len(decode("salesInvoices", {"number": "1", "status": "Paid"})) == 1


def test_decimals_stay_the_text_that_was_sent() -> None:
    body = b'{"value": [{"unitPrice": 1397.30, "inventory": 12}]}'
    (card, _) = CODEC.decode(receipt(body, "items")).documents
    assert isinstance(card, SourceDocument)
    assert card.body == {"unitPrice": "1397.30", "inventory": 12}


def test_a_row_that_is_none_is_refused_and_the_others_go_on() -> None:
    first, second = decode("customers", 7, {"number": "B"})
    assert isinstance(first, Refusal)
    assert (first.error.code, first.error.where) == ("row_not_an_object", "value[0]")
    assert isinstance(second, SourceDocument)
    assert second.position == 1


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "body_empty"),
        (b'{"value": [', "json_syntax"),
        (b'{"value": [], "value": []}', "json_duplicate_key"),
        (b'{"value": [NaN]}', "json_not_a_number"),
        (b"[]", "json_not_an_object"),
        (b"<html>", "json_syntax"),
        (b"\xff", "body_not_utf8"),
        (b"{}", "value_missing"),
        (b'{"value": {}}', "value_missing"),
    ],
)
def test_bytes_that_are_no_page_are_refused_whole(body: bytes, code: str) -> None:
    (refusal,) = CODEC.decode(receipt(body, "items")).documents
    assert isinstance(refusal, Refusal)
    assert (refusal.error.code, refusal.position, refusal.flow) == (code, 0, "items")


def test_an_unknown_flow_is_refused() -> None:
    (refusal,) = CODEC.decode(receipt(b'{"value": []}', "vendors")).documents
    assert isinstance(refusal, Refusal)
    assert refusal.error.code == "flow_unknown"


@given(st.binary(max_size=300), st.sampled_from(["items", "customers", "salesInvoices", ""]))
def test_no_bytes_make_it_raise(body: bytes, flow: str) -> None:
    decoded = CODEC.decode(receipt(body, flow))
    assert repr(decoded) == repr(CODEC.decode(receipt(body, flow)))


def test_an_order_is_written_sorted_and_exact() -> None:
    body = {
        "salesOrderLines": [{"unitPrice": "0.10", "quantity": "12345678901234567.5", "x": None}],
        "externalDocumentNumber": "0012",
        "shipToName": "Zoë's",
    }
    assert CODEC.encode("salesOrder", body, NUMBERS).decode() == (
        '{"externalDocumentNumber":"0012",'
        '"salesOrderLines":[{"quantity":12345678901234567.5,"unitPrice":0.10,"x":null}],'
        '"shipToName":"Zoë\'s"}'
    )


@given(st.decimals(0, 10**12, places=4))
def test_every_decimal_survives_digit_for_digit(value: Any) -> None:
    text = format(value, "f")
    encoded = CODEC.encode("salesShipment", {"quantity": text}, NUMBERS)
    assert encoded == b'{"quantity":%s}' % text.encode()


@pytest.mark.parametrize("value", ["", "1e5", "NaN", "٣", "1,5", " 1", "+1", "01", "1_0", "1."])
def test_a_decimal_that_is_none_is_refused_with_its_place(value: str) -> None:
    with pytest.raises(Rejected) as raised:
        CODEC.encode("salesOrder", {"salesOrderLines": [{"quantity": value}]}, NUMBERS)
    assert raised.value.code == "quantity_invalid"
    assert raised.value.where == "salesOrderLines[0].quantity"


def test_a_binary_float_is_refused() -> None:
    with pytest.raises(Rejected, match="body_invalid at x"):
        CODEC.encode("salesOrder", {"x": 0.1}, NUMBERS)


def test_an_unknown_flow_is_not_written() -> None:
    with pytest.raises(Rejected, match="flow_unknown"):
        CODEC.encode("purchaseOrder", {}, NUMBERS)
