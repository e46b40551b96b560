"""A delivery as the client sees it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from connectors.transports.names import safe_name
from hub.delivery.outbound import file_name, unnumbered
from hub.ledger.delivery_rows import DeliveryRow

DELIVERY = DeliveryRow(
    id="0f8fad5b-d9cb-469f-a165-70867728950e",
    document_id="doc",
    target="lakeside",
    action="send",
    flow="940",
    occasion="",
    business_key="order/acme/4711/",
    version=1,
    after_target=None,
    state="pending",
    attempts=0,
    reference="XDABCDEFGHIJ",
    trace_id=None,
    created_at=datetime(2026, 3, 1, 12, tzinfo=UTC),
)


def test_the_file_name_tells_what_it_is_and_whose_order() -> None:
    assert file_name(DELIVERY, ".x12").startswith("940-XDABCDEFGHIJ-")
    assert file_name(DELIVERY, ".x12").endswith(".x12")


def test_the_file_name_is_the_same_on_every_attempt_and_another_for_every_delivery() -> None:
    assert file_name(replace(DELIVERY, attempts=7), ".x12") == file_name(DELIVERY, ".x12")
    assert file_name(replace(DELIVERY, id="another"), ".x12") != file_name(DELIVERY, ".x12")


def test_what_is_written_anew_under_another_number_has_another_name() -> None:
    names = {file_name(DELIVERY, ".x12", number) for number in (0, 1, 2)}
    assert len(names) == 3


@pytest.mark.parametrize("reference", ["../../etc/passwd", "a/b", "x" * 500, "ü\n*", "", "."])
def test_no_reference_makes_an_unsafe_name(reference: str) -> None:
    name = file_name(replace(DELIVERY, reference=reference), ".x12")
    assert name == safe_name(name)
    assert len(name) <= 110  # the journal's mark has to fit behind it
    assert name.endswith(".x12")


def test_a_target_without_control_numbers_still_has_a_moment_that_never_moves() -> None:
    assert unnumbered(DELIVERY).at == DELIVERY.created_at
