"""What an application finds: dates, check digits, numbers used twice, totals."""

from __future__ import annotations

import pytest

from connectors.edifact.engine.application import MAX_FINDINGS, findings
from connectors.edifact.engine.delimiters import Delimiters
from connectors.edifact.engine.faults import APPLICATION_CODES
from connectors.edifact.engine.moment import exists
from tests.support.edifact_text import ORDER

INVOICE = (
    "BGM+380+I-1+9'DTM+137:20261120:102'LIN+1'QTY+47:2'MOA+203:10'LIN+2'QTY+47:1'MOA+203:5.50'"
    "UNS+S'CNT+2:2'MOA+79:15.50'MOA+125:15.50'MOA+176:2.95'MOA+77:18.45'"
)
DESPATCH = (
    "BGM+351+D-1+9'CPS+1'CPS+2+1'PCI+33E'GIN+BJ+354123450000000014'LIN+1++5412345111115:SRV'"
    "CPS+3+1'LIN+1++5412345111122:SRV'"
)


def found(text: str) -> list[tuple[str, str]]:
    segments = [["UNH", "1"], *(part.split("+") for part in text.rstrip("'").split("'"))]
    return [(fault.code, fault.where) for fault in findings(segments, Delimiters())]


@pytest.mark.parametrize("text", [ORDER, INVOICE, DESPATCH])
def test_nothing_is_found_where_nothing_is_wrong(text: str) -> None:
    assert found(text) == []


CASES = [
    (ORDER, "20261120:102", "20261131:102", "date_impossible", "DTM[1].DTM0102"),
    (ORDER, "5412345111115", "5412345111116", "gtin_check_digit", "LIN[1].LIN0301"),
    (ORDER, "A-10:IN", "5412345111110:EN", "gtin_check_digit", "PIA[1].PIA0301"),
    (ORDER, "4012345500011", "4012345500012", "gln_check_digit", "NAD[3].NAD0201"),
    (ORDER, "LIN+2", "LIN+1", "line_number_duplicate", "LIN[2].LIN0101"),
    (ORDER, "CNT+2:2", "CNT+2:3", "control_total_mismatch", "CNT[1].CNT0102"),
    (ORDER, "CNT+2:2", "CNT+1:14", "control_total_mismatch", "CNT[1].CNT0102"),
    (INVOICE, "MOA+79:15.50", "MOA+79:15.60", "amount_mismatch", "MOA[3].MOA0102"),
    (INVOICE, "MOA+77:18.45", "MOA+77:19.45", "amount_mismatch", "MOA[6].MOA0102"),
    (DESPATCH, "354123450000000014", "354123450000000015", "sscc_check_digit", "GIN[1].GIN0201"),
    (DESPATCH, "CPS+3+1", "GIN+BJ+354123450000000014'CPS+3+1", "sscc_duplicate", "GIN[2].GIN0201"),
    (DESPATCH, "CPS+3+1", "CPS+3+7", "package_parent_unknown", "CPS[3].CPS0201"),
    (DESPATCH, "CPS+3+1", "CPS+2+1", "package_number_duplicate", "CPS[3].CPS0101"),
]


@pytest.mark.parametrize(("text", "old", "new", "code", "where"), CASES)
def test_what_is_wrong_is_found_with_its_place(
    text: str, old: str, new: str, code: str, where: str
) -> None:
    assert old in text
    assert found(text.replace(old, new, 1)) == [(code, where)]


def test_every_code_has_its_case() -> None:
    assert {case[3] for case in CASES} == set(APPLICATION_CODES)


def test_the_sum_of_quantities_counts_the_first_of_each_line() -> None:
    text = ORDER.replace("QTY+21:12", "QTY+21:12'QTY+59:6").replace("CNT+2:2", "CNT+1:15")
    assert found(text) == []


def test_no_more_is_listed_than_anyone_reads() -> None:
    assert len(found("DTM+137:X:102'" * 5000)) == MAX_FINDINGS


@pytest.mark.parametrize(
    ("text", "code", "expected"),
    [("20240229", "102", True), ("20230229", "102", False), ("202402291259", "203", True),
     ("202402291260", "203", False), ("2024022912", "203", False), ("240229", "101", True),
     ("202453", "616", True), ("202454", "616", False), ("2024010120240131", "718", True),
     ("20240101-20240131", "718", True), ("2024010120240132", "718", False), ("1260", "401", False),
     ("anything", "999", True), ("anything", "", True), ("٢٠٢٤٠١٠١", "102", False)],
)  # fmt: skip
def test_a_date_exists_by_the_format_beside_it(text: str, code: str, *, expected: bool) -> None:
    assert exists(text, code) == expected
