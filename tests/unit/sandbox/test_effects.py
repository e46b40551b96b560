"""What the journal says about double effects."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.effects import DoubleEffect, double_effects, effects_by_reference
from sandbox.journal import Entry


class _Story:
    """Writes the entries of a small journal."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def tell(self, effect: str, reference: str = "XD1", **data: Any) -> _Story:
        seq = len(self.entries) + 1
        base = {"seq": seq, "until": seq, "at": "", "system": "s", "effect": effect}
        self.entries.append({**base, "reference": reference, **data})
        return self

    def ordered(self, content: str = "c1", status: str = "N", unit: str = "EA") -> _Story:
        lines = [{"sku": "A", "unit": unit}, {"sku": "B", "unit": unit}]
        order = {"content": content, "status": status, "lines": lines}
        return self.tell("warehouse_order_received", order=order)

    def left(self, **items: str) -> _Story:
        return self.tell("warehouse_shipment_sent", shipment={"items": _items(items)})

    def posted(self, kind: str, **items: str) -> _Story:
        return self.tell(f"{kind}_posted", items=_items(items))

    def findings(self) -> list[DoubleEffect]:
        return double_effects(self.entries)

    def kinds(self) -> list[str]:
        return [finding.kind for finding in self.findings()]


def _items(items: dict[str, str]) -> list[dict[str, str]]:
    return [{"item": item, "quantity": quantity, "unit": "EA"} for item, quantity in items.items()]


@pytest.fixture
def story() -> _Story:
    return _Story()


def test_an_order_that_goes_its_way_once_has_none(story: _Story) -> None:
    story.tell("sales_order_created").ordered().left(A="4").posted("shipment", A="4")
    story.posted("invoice", A="4").left(A="6").posted("shipment", A="6").posted("invoice", A="6")
    assert story.findings() == []


def test_two_sales_orders_with_one_reference_are_found(story: _Story) -> None:
    story.tell("sales_order_created").tell("sales_order_created", "XD2")
    story.tell("sales_order_changed").tell("sales_order_created")
    assert story.findings() == [DoubleEffect("sales_order_twice", "XD1", (1, 4), planted=False)]


def test_a_target_that_does_it_twice_by_itself_is_told_apart(story: _Story) -> None:
    story.tell("sales_order_created").tell("sales_order_created", caused_by="apply_twice")
    assert [finding.planted for finding in story.findings()] == [True]


def test_an_order_entered_anew_after_its_deletion_is_not_there_twice(story: _Story) -> None:
    story.tell("sales_order_created").tell("sales_order_deleted").tell("sales_order_created")
    assert story.findings() == []


def test_orders_without_a_reference_are_not_each_others_double(story: _Story) -> None:
    story.tell("sales_order_created", "").tell("sales_order_created", "")
    assert story.findings() == []


def test_the_same_warehouse_order_in_two_interchanges_is_found(story: _Story) -> None:
    assert story.ordered().ordered().kinds() == ["warehouse_order_twice"]


def test_two_originals_with_other_content_are_found_too(story: _Story) -> None:
    assert story.ordered("c1").ordered("c2").kinds() == ["warehouse_order_twice"]


def test_a_replacement_of_a_warehouse_order_is_no_double(story: _Story) -> None:
    assert story.ordered("c1").ordered("c2", status="R").kinds() == []


def test_a_retransmitted_interchange_is_no_double(story: _Story) -> None:
    assert story.ordered().tell("warehouse_order_retransmitted").kinds() == []


def test_a_shipment_posted_and_invoiced_twice_is_found(story: _Story) -> None:
    story.ordered().left(A="4")
    for _ in range(2):
        story.posted("shipment", A="4").posted("invoice", A="4")
    assert story.kinds() == ["shipped_beyond_warehouse", "invoiced_beyond_warehouse"]
    assert story.findings()[0].detail == "A: 8 of 4"


def test_a_shipment_invoiced_twice_is_found_even_without_a_warehouse(story: _Story) -> None:
    story.posted("shipment", A="4").posted("invoice", A="4").posted("invoice", A="4")
    assert story.kinds() == ["invoiced_beyond_shipped"]


def test_an_invoice_of_what_was_never_shipped_is_found(story: _Story) -> None:
    assert story.posted("invoice", A="1").kinds() == ["invoiced_beyond_shipped"]


def test_an_item_that_the_warehouse_shorted_must_not_be_invoiced(story: _Story) -> None:
    story.ordered().left(A="4").posted("shipment", A="4", B="1")
    assert [finding.detail for finding in story.findings()] == ["B: 1 of 0"]


def test_freight_and_other_units_cannot_be_compared_with_the_warehouse(story: _Story) -> None:
    story.ordered(unit="DZ").left(A="1").posted("shipment", A="12", freight="1")
    assert story.findings() == []


def test_nothing_is_said_before_the_warehouse_has_shipped(story: _Story) -> None:
    assert story.ordered().posted("shipment", A="4").findings() == []


def test_effects_are_grouped_by_reference_in_order(story: _Story) -> None:
    story.tell("a").tell("b", "XD2").tell("c").tell("d", "")
    groups = effects_by_reference(story.entries)
    assert {name: [one["effect"] for one in group] for name, group in groups.items()} == {
        "XD1": ["a", "c"],
        "XD2": ["b"],
    }
