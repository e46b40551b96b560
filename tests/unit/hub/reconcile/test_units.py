"""Units: what is turned into what, by which rule, and what is not."""

from __future__ import annotations

from decimal import Decimal

import pytest

from canonical.units import UNITS
from hub.reconcile import units
from hub.reconcile.units import Units

PACKS = Units({"A": {"XCT": Decimal(6)}, "*": {"XCT": Decimal(12), "DZN": Decimal(13)}})


@pytest.mark.parametrize(
    ("quantity", "to", "expected", "rule"),
    [
        ("2 DZN", "EA", "24", "standard"),
        ("3 C62", "EA", "3", "standard"),
        ("1 LBR", "GRM", "453.59237", "standard"),
        ("5 XCT", "XCT", "5", "same"),
    ],
)
def test_a_quantity_is_turned_by_the_standard(
    quantity: str, to: str, expected: str, rule: str
) -> None:
    value, unit = quantity.split()
    turned = Units().convert(Decimal(value), unit, "A", to)
    assert turned is not None
    assert (turned.to_value, turned.rule) == (Decimal(expected), rule)


def test_a_pack_is_the_items_own_before_it_is_everybodys() -> None:
    sizes = [PACKS.convert(Decimal(1), "XCT", item, "EA") for item in ("A", "B")]
    assert [(each.to_value, each.rule) for each in sizes if each] == [
        (Decimal(6), "pack"),
        (Decimal(12), "pack"),
    ]


@pytest.mark.parametrize(("unit", "to"), [("XCT", "EA"), ("EA", "KGM"), ("XPX", "XCT")])
def test_what_has_no_factor_is_not_guessed(unit: str, to: str) -> None:
    assert Units().convert(Decimal(1), unit, "A", to) is None


def test_every_unit_with_a_factor_is_one_that_the_hub_knows() -> None:
    assert UNITS.keys() >= units.STANDARD
