"""The reference data of the company."""

from __future__ import annotations

from sandbox.reference_data import BASE_UNIT, check_digit, customers, items


def test_check_digits_follow_gs1() -> None:
    # 0614141 12345 2 and the SSCC of the GS1 General Specifications' own examples
    assert check_digit("629104150021") == "3"
    assert check_digit("00614141000000001") == "2"


def test_ids_are_the_same_after_every_start() -> None:
    assert [item["id"] for item in items()] == [item["id"] for item in items()]
    assert len({row["id"] for row in [*items(), *customers()]}) == len(items()) + len(customers())


def test_there_is_a_customer_that_is_blocked_and_all_items_count_in_pieces() -> None:
    assert [row["number"] for row in customers() if row["blocked"] == "All"] == ["C10040"]
    assert {item["baseUnitOfMeasureCode"] for item in items()} == {BASE_UNIT}
    assert all(len(item["gtin"]) == 12 for item in items())
