"""Reports on EDI files: what a fault does to the verdict of what it is in."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.report import Found, Report

COUNT = Found("syntax", "set_count_mismatch", "SE01", "not the number", tolerated=True)
BROKEN = Found("guide", "element_too_long", "PO1[1].PO103", "too long")
TOTAL = Found("application", "total_wrong", "TDS[1].TDS01", "not the sum", noted=True)


def judged(
    *of_sets: list[Found],
    tolerant: bool = False,
    before: list[Found] | None = None,
    after: list[Found] | None = None,
    checked: bool = True,
) -> tuple[str, list[str]]:
    """The verdicts of a file and of its sets, in one group whose ends have faults of their own."""
    report = Report(tolerant=tolerant)
    report.begin({"control_number": "1"})
    report.begin_group()
    report.envelope("GS 1", before or [], group=True)
    for found in of_sets:
        one: dict[str, Any] = {"type": "850", "body": {}}
        report.add("850 ST 0001", one, found, checked=checked)
    report.envelope("GS 1", after or [], group=True)
    report.end_group()
    result = report.result()
    return result["verdict"], [each["verdict"] for each in result["interchanges"][0]["sets"]]


@pytest.mark.parametrize(
    ("found", "tolerant", "verdict"),
    [
        ([], False, "accepted"),
        ([COUNT], False, "rejected"),
        ([COUNT], True, "accepted_with_errors"),
        ([BROKEN], True, "rejected"),
        ([COUNT, BROKEN], True, "rejected"),
        ([TOTAL], False, "accepted_with_errors"),
    ],
)
def test_what_the_hub_takes_over_is_accepted(
    found: list[Found], *, tolerant: bool, verdict: str
) -> None:
    assert judged(found, tolerant=tolerant) == (verdict, [verdict])


def test_a_file_of_good_and_bad_sets_is_accepted_in_part() -> None:
    assert judged([], [BROKEN], []) == ("partly_accepted", ["accepted", "rejected", "accepted"])


@pytest.mark.parametrize("side", ["before", "after"])
def test_a_refused_group_takes_its_sets_with_it_wherever_it_is_wrong(side: str) -> None:
    faults: dict[str, Any] = {side: [COUNT]}
    assert judged([], [], **faults) == ("rejected", ["rejected", "rejected"])
    assert judged([], tolerant=True, **faults)[0] == "accepted_with_errors"


def test_what_nobody_could_check_is_no_more_than_unchecked() -> None:
    assert judged([], checked=False) == ("unchecked", ["unchecked"])
    assert judged([COUNT], checked=False)[0] == "rejected"


def test_an_empty_interchange_is_judged_by_its_own_faults() -> None:
    assert judged()[0] == "accepted"
    assert judged(after=[COUNT])[0] == "rejected"
    assert judged(after=[COUNT], tolerant=True)[0] == "accepted_with_errors"


def test_long_values_are_cut_and_control_characters_are_spelled_out() -> None:
    found = Found("guide", "element_too_long", "N1[1].N102", "too long", value="\x1b" + "x" * 99)
    message = found.told("850 ST 0001")["message"]
    assert message.startswith('850 ST 0001, N1[1] N102: "\\x1bxxx')
    assert len(message) < 100
