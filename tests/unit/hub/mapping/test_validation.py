"""Canonical validation: one error that lists every field, and no value."""

from __future__ import annotations

import orjson
import pytest

from canonical.errors import Rejected
from canonical.order import Order
from hub.mapping.validation import validate


def order(**changes: object) -> bytes:
    line = {
        "number": "1",
        "item": {"seller_sku": "1896-S"},
        "quantity": {"value": "5", "unit": "EA"},
        "unit_price": {"amount": "10.50", "currency": "USD"},
    }
    document = {
        "po_number": "4711",
        "buyer": {"name": "Acme"},
        "currency": "USD",
        "ordered_on": "2026-03-02",
        "lines": [line],
    }
    return orjson.dumps(document | changes)


def refusal(text: bytes) -> Rejected:
    with pytest.raises(Rejected) as rejected:
        validate("order", text)
    assert rejected.value.code == "canonical_invalid"
    return rejected.value


def test_a_good_document_is_read() -> None:
    document = validate("order", order())
    assert isinstance(document, Order)
    assert document.po_number == "4711"


def test_all_that_is_wrong_is_listed_in_one_error() -> None:
    error = refusal(order(currency="XXX", ordered_on="2026-02-30", lines=[], surplus="z"))
    assert set(error.where.split("; ")) == {"currency", "ordered_on", "lines", "surplus"}
    assert "currency: expected an ISO 4217 currency code" in error.detail


def test_a_field_inside_a_line_is_named_as_people_write_it() -> None:
    line = {
        "number": "1",
        "item": {},
        "quantity": {"value": "1e3", "unit": "EA"},
        "unit_price": {"amount": 9.99, "currency": "USD"},
    }
    error = refusal(order(lines=[line]))
    assert error.where == "lines[0].quantity.value; lines[0].unit_price.amount"


def test_no_value_is_quoted() -> None:
    said = "value-of-a-document\n"
    error = refusal(order(po_number=said, currency=said, ordered_on=said))
    assert "value-of-a-document" not in str(error)


def test_keys_of_the_source_are_not_quoted() -> None:
    error = refusal(order(extensions={"key-of-a-document": 5}))
    assert error.where == "extensions"


def test_a_document_with_very_many_faults_has_a_short_error() -> None:
    error = refusal(order(lines=[{}] * 1000))
    assert "and " in error.where
    assert len(error.detail) < 3000


def test_broken_json_is_refused_too() -> None:
    assert refusal(b"{").where == "document"
