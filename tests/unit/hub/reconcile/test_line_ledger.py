"""What became of everything that was ordered, line by line."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.reconcile.line_ledger import ItemFacts, build
from hub.reconcile.orders import OrderThread, Said, read
from hub.reconcile.trace import line_json
from hub.reconcile.units import Units

Lines = Callable[..., Said]
PACKS = Units({"A": {"XCT": Decimal(12)}, "*": {"XPX": Decimal(480)}})


def told(story: Any, **what: Any) -> dict[str, Any]:
    (line,) = story.lines(**what)
    return line_json(line, "XD1")


def quantities(found: dict[str, Any]) -> str:
    names = ("ordered", "cancelled", "open", "backordered", "shipped", "invoiced", "to_invoice")
    return " ".join(found[name] for name in names)


def test_what_was_ordered_and_not_shipped_is_open(story: Any) -> None:
    found = told(story)
    assert quantities(found) == "10 0 10 0 0 0 0"
    assert found["adds_up"]


def test_a_whole_order_adds_up(story: Any, line: Lines) -> None:
    found = told(story.shipped(line(4)).shipped(line(6)).billed(line(10)))
    assert quantities(found) == "10 0 0 0 10 10 0"
    assert found["adds_up"]


def test_a_change_to_less_is_a_cancellation_and_a_change_to_more_is_ordered(
    story: Any, line: Lines
) -> None:
    assert quantities(told(story.changed(line(7)))) == "10 3 7 0 0 0 0"
    assert quantities(told(story.changed(line(9)))) == "12 3 9 0 0 0 0"


@pytest.mark.parametrize("kind", ["cancel", "replace"])
def test_what_a_cancellation_or_a_replacement_leaves_out_is_cancelled(
    story: Any, kind: str
) -> None:
    assert quantities(told(story.changed(kind=kind))) == "10 10 0 0 0 0 0"


def test_a_deleted_line_is_cancelled_and_a_change_of_price_alone_moves_nothing(
    story: Any, line: Lines
) -> None:
    cheaper = told(story.changed(line(0, unit="", price="2")))
    assert quantities(cheaper) == "10 0 10 0 0 0 0"
    gone = told(story.changed(line(0, unit="", action="delete")))
    assert quantities(gone) == "10 10 0 0 0 0 0"


def test_what_the_warehouse_did_not_have_is_backordered_until_it_comes(
    story: Any, line: Lines
) -> None:
    story.shipped(line(4, asked=Decimal(10)))
    assert quantities(told(story)) == "10 0 0 6 4 0 4"
    assert quantities(told(story.shipped(line(6, asked=Decimal(6))))) == "10 0 0 0 10 0 10"


def test_what_was_shipped_beyond_the_order_is_named_and_does_not_add_up(
    story: Any, line: Lines
) -> None:
    found = told(story.shipped(line(12)).billed(line(12)))
    assert (found["over"], found["open"], found["adds_up"]) == ("2", "0", False)


def test_a_credit_is_told_apart_from_what_was_billed(story: Any, line: Lines) -> None:
    found = told(story.shipped(line(10)).billed(line(10)).billed(line(-3)))
    assert (found["invoiced"], found["credited"], found["to_invoice"]) == ("10", "3", "0")
    assert found["adds_up"]


def test_every_unit_is_turned_into_the_items_own_and_the_conversion_is_shown(
    story: Any, line: Lines
) -> None:
    story.versions.clear()
    story.ordered(line(2, unit="XCT", price="30")).shipped(line(2, unit="DZN")).billed(line(24))
    (made,) = story.lines(PACKS, {"A": ItemFacts("EA")})
    found = line_json(made, "XD1")
    assert (found["unit"], quantities(found)) == ("EA", "24 0 0 0 24 24 0")
    assert made.price == Decimal("2.5")
    assert [(each["rule"], each["factor"], each["to_value"]) for each in found["conversions"]] == [
        ("pack", "12", "24"),
        ("standard", "12", "24"),
    ]


def test_a_unit_that_cannot_be_turned_is_listed_and_in_no_sum(story: Any, line: Lines) -> None:
    found = told(story.shipped(line(1, unit="XPX")))
    assert found["unconverted"] == [
        {"kind": "shipped", "document": "S-1", "value": "1", "unit": "XPX", "to": "EA"}
    ]
    assert (found["shipped"], found["adds_up"]) == ("0", False)


def test_thirds_of_a_dozen_add_up_to_a_dozen() -> None:
    parts = [Units().convert(Decimal(n), "EA", "A", "DZN") for n in (5, 7)]
    assert sum(each.to_value for each in parts if each) == 1


def test_an_item_that_nobody_ordered_has_a_line_of_its_own(story: Any, line: Lines) -> None:
    story.shipped(line(1, item="B"))
    assert [(made.item, made.expected) for made in story.lines()] == [("A", True), ("B", False)]


def test_a_line_number_joins_what_shares_no_code(story: Any, line: Lines) -> None:
    story.versions.clear()
    story.ordered(line(10, codes={"buyer_sku": "THEIRS"})).shipped(line(10))
    assert quantities(told(story)) == "10 0 0 0 10 0 10"


def test_an_invoice_that_counts_its_own_lines_is_matched_by_item(story: Any, line: Lines) -> None:
    story.versions.clear()
    story.ordered(line(4), line(6, number="2"), line(5, number="3", item="B"))
    story.shipped(line(4), line(6, number="2"), line(5, number="3", item="B"))
    story.billed(line(5, item="B"), line(4, number="10000"), line(6, number="20000"))
    assert [line_json(made, "")["invoiced"] for made in story.lines()] == ["4", "6", "5"]


@given(st.lists(st.tuples(st.sampled_from("osbc"), st.integers(0, 50)), max_size=12))
def test_both_equations_hold_whatever_happened(steps: list[tuple[str, int]]) -> None:
    rows = [row(*step, n) for n, step in enumerate([("o", 20), *steps])]
    for line in build(read("XD1", rows, {}), Units()):
        q = {name: Decimal(value) for name, value in line_json(line, "").items() if _number(value)}
        whole = q["cancelled"] + q["open"] + q["backordered"] + q["shipped"]
        assert q["ordered"] + q["over"] == whole
        assert q["shipped"] + q["unshipped"] == q["invoiced"] + q["to_invoice"]
        assert min(q["open"], q["backordered"], q["over"], q["cancelled"]) >= 0


def _number(value: object) -> bool:
    return isinstance(value, str) and value.replace(".", "").isdigit()


def row(step: str, quantity: int, n: int) -> dict[str, Any]:
    """A ledger row: an order or its change, a shipment (s: short of b), an invoice."""
    entity = {"o": "order" if n == 0 else "order_change", "s": "shipment", "b": "shipment"}.get(
        step, "invoice"
    )
    amount = {"value": str(quantity), "unit": "EA"}
    line = {"number": "1", "item": {"seller_sku": "A"}}
    line["shipped" if entity == "shipment" else "quantity"] = amount
    if step == "b":
        line["ordered"] = {"value": "20", "unit": "EA"}
    return {
        "id": str(n), "entity": entity, "number": str(n), "business_key": f"{entity}{n}",
        "version": n + 1, "state": "delivered", "partner": "acme", "connection": "c",
        "created_at": datetime(2026, 5, 5, tzinfo=UTC), "currency": "USD", "lines": [line], "kind": "change", "status": None,
        "ship_by": None, "deliver_on": None, "leave_on": None,
    }  # fmt: skip


def test_a_large_order_is_entered_in_a_moment() -> None:
    rows = [row("o", 5, 0), row("s", 5, 1)]
    for each in rows:
        (one,) = each["lines"]
        each["lines"] = [
            one | {"number": str(n), "item": {"seller_sku": f"A{n}"}} for n in range(5_000)
        ]
    assert len(build(read("XD1", rows, {}), Units())) == 5_000


def test_a_thread_without_an_order_is_about_our_reference() -> None:
    assert OrderThread("XD9").subject == "reference/XD9"
