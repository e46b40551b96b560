"""Units of measure and the X12 crosswalk."""

from __future__ import annotations

import re

import pytest

from canonical import rec20
from canonical.units import REC20_TO_X12, UNITS, X12_TO_REC20
from canonical.x12_355 import ONLY_FROM_REC20, PREFERRED, SYNONYMS


def test_there_are_units_enough_for_distribution() -> None:
    assert len(UNITS) >= 120


@pytest.mark.parametrize(
    ("x12", "unit"),
    [
        ("EA", "EA"), ("PC", "H87"), ("UN", "C62"), ("CA", "XCS"), ("CT", "XCT"), ("BX", "XBX"),
        ("DZ", "DZN"), ("PR", "PR"), ("PK", "XPK"), ("PL", "XPX"), ("KG", "KGM"), ("LB", "LBR"),
        ("OZ", "ONZ"), ("GR", "GRM"), ("TN", "STN"), ("FT", "FOT"), ("IN", "INH"), ("YD", "YRD"),
        ("MR", "MTR"), ("SF", "FTK"), ("SY", "YDK"), ("GA", "GLL"), ("LT", "LTR"), ("QT", "QTL"),
        ("PT", "PTL"), ("ML", "MLT"), ("RL", "XRO"), ("BG", "XBG"), ("BA", "XBL"), ("CN", "XCX"),
        ("DR", "XDR"), ("HR", "HUR"),
    ],
)  # fmt: skip
def test_the_common_codes_translate_both_ways(x12: str, unit: str) -> None:
    assert X12_TO_REC20[x12] == unit
    assert REC20_TO_X12[unit] == x12


@pytest.mark.parametrize(
    ("x12", "unit", "looks_like"),
    [
        ("PL", "XPX", "XPL"), ("PA", "XPL", "XPA"), ("BA", "XBL", "XBA"), ("CN", "XCX", "XCN"),
        ("SH", "XST", "XSH"), ("TN", "STN", "XTN"),
    ],
)  # fmt: skip
def test_a_code_that_means_something_else_in_rec_21_is_translated_by_meaning(
    x12: str, unit: str, looks_like: str
) -> None:
    assert looks_like in UNITS
    assert X12_TO_REC20[x12] == unit


@pytest.mark.parametrize("x12", ["ZZ", "CS", "P4", "P6", "EACH", "", "ea"])
def test_what_has_no_meaning_of_its_own_is_not_translated(x12: str) -> None:
    assert x12 not in X12_TO_REC20


@pytest.mark.parametrize("code", ["CT", "CS", "PK", "BX", "RO", "ST", "PT", "QT", "OZ", "NPR"])
def test_codes_that_recommendation_20_took_out_of_use_are_no_units(code: str) -> None:
    assert code not in UNITS


def test_no_code_stands_in_two_lists() -> None:
    lists = (
        rec20.COUNTS, rec20.MASSES, rec20.LENGTHS_AND_AREAS, rec20.VOLUMES,
        rec20.TIMES_AND_OTHERS, rec20.PACKAGES,
    )  # fmt: skip
    assert sum(map(len, lists)) == len(UNITS)


def test_codes_have_the_form_of_their_standard() -> None:
    assert not [u for u in UNITS if not re.fullmatch("[0-9A-Z]{2,3}", u)]
    assert not [u for u in rec20.PACKAGES if not re.fullmatch("X[0-9A-Z]{2}", u)]
    assert not [x for x in X12_TO_REC20 if not re.fullmatch("[0-9A-Z]{2}", x)]


def test_the_crosswalk_leads_to_units_that_exist() -> None:
    assert set(X12_TO_REC20.values()) <= set(UNITS)
    assert set(REC20_TO_X12) <= set(UNITS)


def test_preferred_pairs_are_one_to_one_and_come_back_unchanged() -> None:
    assert len(set(PREFERRED.values())) == len(PREFERRED)
    assert all(REC20_TO_X12[unit] == x12 for x12, unit in PREFERRED.items())


def test_every_unit_that_x12_can_say_can_be_written_in_x12() -> None:
    assert set(X12_TO_REC20.values()) <= set(REC20_TO_X12)


def test_the_lists_do_not_contradict_each_other() -> None:
    assert not set(SYNONYMS) & set(PREFERRED)
    assert not set(ONLY_FROM_REC20) & set(PREFERRED.values())
    assert set(ONLY_FROM_REC20.values()) <= set(PREFERRED)
