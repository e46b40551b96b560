"""The warehouse's 945."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.reference_data import check_digit
from sandbox.shipping_advice import (
    AS_ORDERED,
    Plan,
    Shipment,
    pack,
    segments,
    split,
    sscc,
    tracking_number,
)
from sandbox.warehouse_order import OrderedLine, WarehouseOrder

AT = datetime(2026, 3, 2, 10, 11, tzinfo=UTC)


def _order(*quantities: str) -> WarehouseOrder:
    lines = tuple(
        OrderedLine(str(n), Decimal(quantity), "EA", "", (("VN", f"SKU{n}"),), f"Thing {n}")
        for n, quantity in enumerate(quantities, start=1)
    )
    ship_to = (["N1", "ST", "Acme"], ["N4", "Springfield", "IL"])
    return WarehouseOrder("XD1", "N", "PO1", ship_to, "UPSN", "U", lines, "c")


def _advice(order: WarehouseOrder, plan: Plan) -> list[list[str]]:
    cartons = pack(split(order, plan)[0], 1)
    return segments(Shipment(order, "LS00000001", cartons, plan, AT))


def _named(found: list[list[str]], name: str) -> list[list[str]]:
    return [segment for segment in found if segment[0] == name]


def test_an_advice_matches_the_order_line_by_line() -> None:
    found = _advice(_order("4", "2.5"), AS_ORDERED)
    assert found[0] == ["W06", "F", "XD1", "20260302", "LS00000001", "", "PO1"]
    first, second = _named(found, "W12")
    assert first[:9] == ["W12", "CC", "4", "4", "0", "EA", "", "VN", "SKU1"]
    assert second[2:6] == ["2.5", "2.5", "0", "EA"]
    assert _named(found, "N9") == [
        ["N9", "CN", tracking_number(1)],
        ["N9", "LI", "1"],
        ["N9", "LI", "2"],
    ]
    assert ["N4", "Springfield", "IL"] in found
    assert _named(found, "W27") == [["W27", "U", "UPSN"]]
    assert _named(found, "W03")[0][1:] == ["6.5", "16.3", "LB"]


def test_a_carton_carries_its_sscc_and_its_tracking_number() -> None:
    (man,) = _named(_advice(_order("4"), AS_ORDERED), "MAN")
    assert man == ["MAN", "GM", f"00{sscc(1)}", "", "CP", tracking_number(1)]


@given(st.integers(0, 10**9 - 1))
def test_every_sscc_has_18_digits_and_a_valid_check_digit(serial: int) -> None:
    code = sscc(serial)
    assert len(code) == 18
    assert code.isdigit()
    assert check_digit(code[:-1]) == code[-1]


def test_large_orders_leave_in_several_cartons() -> None:
    found = _advice(_order(*["1"] * 45), AS_ORDERED)
    assert [segment[1] for segment in _named(found, "LX")] == ["1", "2", "3"]
    assert len({segment[2] for segment in _named(found, "MAN")}) == 3
    assert len(_named(found, "W12")) == 45


def test_a_short_line_says_so() -> None:
    found = _advice(_order("4", "2"), Plan({"SKU1": Decimal(1), "SKU2": Decimal(5)}))
    first, second = _named(found, "W12")
    assert first[1:5] == ["CP", "4", "3", "1"]
    assert second[1:5] == ["DS", "2", "0", "2"]


def test_an_order_of_which_nothing_is_left_is_still_advised() -> None:
    parts = split(_order("4"), Plan({"SKU1": Decimal(4)}, parts=3))
    assert [[line.shipped for line in part] for part in parts] == [[Decimal(0)]]


def test_other_units_are_reported_on_request() -> None:
    (line,) = _named(_advice(_order("24"), Plan({}, unit="DZ", each=Decimal(12))), "W12")
    assert line[2:6] == ["2", "2", "0", "DZ"]


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=5), st.integers(1, 9), st.integers(0, 5))
def test_parts_add_up_to_what_was_ordered_less_what_is_short(
    quantities: list[int], parts: int, short: int
) -> None:
    order = _order(*map(str, quantities))
    packed = split(order, Plan({"SKU1": Decimal(short)}, parts=parts))
    for line in order.lines:
        stays = min(Decimal(short), line.quantity) if line.sku == "SKU1" else Decimal(0)
        shipped = sum(one.shipped for part in packed for one in part if one.ordered is line)
        assert shipped == line.quantity - stays
    assert len(packed) <= parts


@pytest.mark.parametrize("parts", [1, 2])
def test_the_last_part_completes_the_line(parts: int) -> None:
    packed = split(_order("5"), Plan({}, parts=parts))
    assert packed[-1][0].status == "CC"
    assert [part[0].status for part in packed[:-1]] == ["BP"] * (parts - 1)
