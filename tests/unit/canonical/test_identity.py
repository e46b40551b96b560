"""The three identities: what changes them and what does not."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canonical import DOCUMENTS, Document
from canonical.examples import EXAMPLES
from canonical.identity import (
    BusinessKey,
    business_key,
    content_id,
    event_id,
    po_key,
    reference_for,
)
from canonical.inventory import InventoryPosition
from canonical.item import ItemCodes
from canonical.order import Order
from canonical.quantity import Quantity

MakeOrder = Callable[..., Order]

KEY = BusinessKey("order", "acme", "4500017843")


def read(entity: str, body: dict[str, Any]) -> Document:
    return DOCUMENTS[entity].model_validate_json(json.dumps(body))


def leaves(value: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """The path of every single value in a document."""
    if isinstance(value, dict):
        return [leaf for k, v in value.items() for leaf in leaves(v, (*path, k))]
    if isinstance(value, list):
        return [leaf for i, v in enumerate(value) for leaf in leaves(v, (*path, i))]
    return [path]


def changed(field: str | int, value: Any) -> Any:
    """Another value that fits the same field."""
    fits = {
        "unit": "MTR", "base_unit": "MTR", "currency": "EUR", "country": "CA", "kind": "cancel",
        "action": "delete", "condition": "short", "reason": "loss", "time": "23:59",
    }  # fmt: skip
    if field == "status":  # of tracking; of an answer, whatever it answers
        return "delivered" if value == "in_transit" else "unknown"
    if field in fits:
        return fits[str(field)]
    if str(field).endswith("_at") or field == "at":
        return "2026-07-01T00:00:00Z"
    if isinstance(value, int):
        return value + 1
    return value[:-1] + ("1" if value[-1] != "1" else "2") if value[-1].isdigit() else value + "x"


def replaced(body: dict[str, Any], path: tuple[str | int, ...], value: object) -> dict[str, Any]:
    """A copy of the document with one value replaced."""
    result: dict[str, Any] = copy.deepcopy(body)
    place: Any = result
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return result


EVERY_VALUE = [(entity, path) for entity, body in EXAMPLES.items() for path in leaves(body)]


@pytest.mark.parametrize(("entity", "path"), EVERY_VALUE, ids=str)
def test_any_change_of_a_value_shows_in_content_id_or_key(
    entity: str, path: tuple[str | int, ...]
) -> None:
    body = EXAMPLES[entity]
    old: Any = body
    for step in path:
        old = old[step]
    new = changed(path[-1], old)
    before, after = read(entity, body), read(entity, replaced(body, path, new))
    model = DOCUMENTS[entity]
    if path[0] == "modified_at":
        assert content_id(after) == content_id(before)
        assert after.sequence() != before.sequence()
    elif path[0] in model.key_fields:
        assert content_id(after) == content_id(before)
        assert business_key(after, "acme") != business_key(before, "acme")
    else:
        assert content_id(after) != content_id(before)
        assert business_key(after, "acme") == business_key(before, "acme")


def test_the_order_of_keys_in_json_does_not_matter(document: Document) -> None:
    def turned(value: Any) -> Any:
        if isinstance(value, dict):
            return {k: turned(v) for k, v in reversed(value.items())}
        return [turned(v) for v in value] if isinstance(value, list) else value

    body = turned(EXAMPLES[document.entity])
    assert content_id(read(document.entity, body)) == content_id(document)


def test_a_field_that_is_null_says_the_same_as_one_that_is_absent(make_order: MakeOrder) -> None:
    body = EXAMPLES["order"] | {"bill_to": None, "seller": None, "cancel_after": None}
    assert content_id(read("order", body)) == content_id(make_order())


def test_publishing_and_reading_again_keeps_the_content_id(document: Document) -> None:
    for text in (document.model_dump_json(), document.model_dump_json(exclude_defaults=True)):
        again = type(document).model_validate_json(text)
        assert again == document
        assert content_id(again) == content_id(document)


def test_the_way_an_offset_is_written_does_not_matter() -> None:
    body = EXAMPLES["tracking"]
    same = body | {"updated_at": "2026-03-06T01:14:00-08:00"}
    assert content_id(read("tracking", same)) == content_id(read("tracking", body))


decimals = st.decimals(
    min_value=-(10**12), max_value=10**12, places=6, allow_nan=False, allow_infinity=False
)


def position(value: Decimal) -> InventoryPosition:
    return InventoryPosition(
        number="1896-S",
        item=ItemCodes(seller_sku="1896-S"),
        on_hand=Quantity(value=value, unit="EA"),
    )


@given(decimals, st.integers(min_value=0, max_value=3))
def test_trailing_zeros_do_not_change_the_content_id(value: Decimal, zeros: int) -> None:
    padded = Decimal(format(value, "f") + "0" * zeros)
    shortest = Decimal(format(value.normalize(), "f"))
    assert content_id(position(padded)) == content_id(position(shortest))


@given(decimals, decimals)
def test_two_amounts_have_one_content_id_exactly_if_they_are_equal(a: Decimal, b: Decimal) -> None:
    assert (content_id(position(a)) == content_id(position(b))) == (a == b)


@pytest.mark.parametrize("zero", ["0", "-0", "0.00", "-0.000"])
def test_all_zeros_are_the_same(zero: str) -> None:
    assert content_id(position(Decimal(zero))) == content_id(position(Decimal(0)))


def test_the_content_id_of_the_example_stays_what_it_was(make_order: MakeOrder) -> None:
    # A change of this value makes every document in every ledger look changed.
    assert content_id(make_order()) == (
        "16155842393ed7b7b49c2d9d75d63139aacd20f2030488eef8ab9fd6fa7dbdee"
    )


parts = st.text(st.sampled_from("aB1/%25F |."), max_size=6)
keys = st.builds(BusinessKey, st.just("order"), parts, parts, parts)


@given(keys, keys)
def test_two_keys_never_share_a_stored_form(a: BusinessKey, b: BusinessKey) -> None:
    assert (str(a) == str(b)) == (a == b)


def test_the_stored_form_of_a_key() -> None:
    assert str(KEY) == "order/acme/4500017843/"
    assert str(BusinessKey("order", "a/b", "50%", "R/1")) == "order/a%2Fb/50%25/R%2F1"


def test_a_change_has_the_key_of_the_order_that_it_changes() -> None:
    order, change = read("order", EXAMPLES["order"]), read("order_change", EXAMPLES["order_change"])
    assert business_key(change, "acme") == business_key(order, "acme") == KEY


def test_case_and_blanks_in_a_po_number_do_not_make_another_order(make_order: MakeOrder) -> None:
    one = business_key(make_order(po_number="PO 4711-a"), "acme")
    assert one == business_key(make_order(po_number="  po  4711-A "), "acme")


def test_releases_of_a_blanket_order_are_different_orders(make_order: MakeOrder) -> None:
    one, two = make_order(release="1"), make_order(release="2")
    assert business_key(one, "acme") != business_key(two, "acme")
    assert content_id(one) == content_id(two)


def test_stock_keys_of_different_items_and_sites_never_meet() -> None:
    here = position(Decimal(1)).model_copy(update={"number": "A@B", "site": "C"})
    there = position(Decimal(1)).model_copy(update={"number": "A", "site": "B@C"})
    assert business_key(here, "contoso") != business_key(there, "contoso")
    assert business_key(position(Decimal(1)), "contoso").number == "1896-S@MAIN"


def test_a_purchase_is_account_and_normalised_po_number() -> None:
    assert po_key("C10010", " po  4711") == "C10010|PO 4711"


def test_our_reference_comes_from_the_key_alone() -> None:
    assert reference_for(KEY) == reference_for(str(KEY)) == "XDPCVYNDOA7Y"
    assert EXAMPLES["shipment"]["order_reference"] == reference_for(KEY)
    assert EXAMPLES["invoice"]["order_reference"] == reference_for(KEY)


@given(keys)
def test_our_reference_fits_every_target(key: BusinessKey) -> None:
    assert re.fullmatch("XD[A-Z2-7]{10}", reference_for(key))


def test_a_hundred_thousand_keys_share_no_reference() -> None:
    references = {reference_for(f"order/acme/{n}/") for n in range(100_000)}
    assert len(references) == 100_000


def test_the_same_fact_has_the_same_event_id_and_another_fact_another() -> None:
    one = event_id(KEY, "c1", "released", 1)
    assert one == event_id(KEY, "c1", "released", 1) == "93eb408b-5072-5ee4-bfcb-5c26ef8762f4"
    others = {
        event_id(KEY, "c2", "released", 1),
        event_id(KEY, "c1", "changed", 1),
        event_id(KEY, "c1", "released", 2),
        event_id(BusinessKey("order", "acme", "4711"), "c1", "released", 1),
    }
    assert len(others | {one}) == 5
