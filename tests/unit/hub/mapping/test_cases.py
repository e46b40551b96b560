"""Worked cases: what passes, what fails and how the difference reads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from canonical.errors import ConfigError
from hub.mapping.cases import Case, read_cases, run_case
from hub.mapping.difference import differences
from hub.mapping.files import MappingFile, read_mapping

ITEM = '{"number": no, "base_unit": $code("x12_355_to_rec20", unit), "list_price": price}'
GOOD: dict[str, Any] = {
    "why": "the plain case",
    "input": {"no": "1896-S", "unit": "EA"},
    "expect": {"number": "1896-S", "base_unit": "EA"},
}


@pytest.fixture
def mapping(tmp_path: Path) -> MappingFile:
    """An inbound mapping, with a folder for its cases."""
    path = tmp_path / "paper" / "card.item.jsonata"
    (path.parent / "card.item.cases").mkdir(parents=True)
    path.write_text(ITEM)
    return read_mapping(path, tmp_path)


def write(mapping: MappingFile, case: object) -> None:
    (mapping.cases / "case.json").write_text(json.dumps(case))


def problems(mapping: MappingFile, **changes: Any) -> list[str]:
    case = {key: value for key, value in (GOOD | changes).items() if value is not None}
    write(mapping, case)
    outcomes = [each for read in read_cases(mapping) for each in run_case(mapping, read)]
    assert [outcome.engine for outcome in outcomes] == ["jsonatapy", "jsonata-python"]
    assert outcomes[0].problems == outcomes[1].problems
    return list(outcomes[0].problems)


def test_a_case_passes_on_both_engines(mapping: MappingFile) -> None:
    assert problems(mapping) == []


def test_a_difference_is_named_by_its_place(mapping: MappingFile) -> None:
    found = problems(mapping, expect={"number": "1900-S", "base_unit": "EA"})
    assert found == ['number: expected "1900-S", got "1896-S"']


def test_an_expected_error_passes(mapping: MappingFile) -> None:
    error = {"code": "code_unknown", "where": "unit"}
    assert problems(mapping, input={"no": "1", "unit": "??"}, expect=None, expect_error=error) == []


def test_an_error_at_another_place_fails(mapping: MappingFile) -> None:
    error = {"code": "code_unknown", "where": "no"}
    found = problems(mapping, input={"no": "1", "unit": "??"}, expect=None, expect_error=error)
    assert len(found) == 1
    assert found[0].startswith("expected it at no, got ")


def test_an_unexpected_error_fails(mapping: MappingFile) -> None:
    found = problems(mapping, input={"no": "1", "unit": "??"})
    assert found[0].startswith("refused: code_unknown")


def test_a_document_where_an_error_was_expected_fails(mapping: MappingFile) -> None:
    found = problems(mapping, expect=None, expect_error={"code": "code_unknown"})
    assert found == ["expected the error code_unknown, got a document"]


def test_an_inbound_result_must_be_canonical(mapping: MappingFile) -> None:
    error = {"code": "canonical_invalid", "where": "number"}
    assert problems(mapping, input={"unit": "EA"}, expect=None, expect_error=error) == []


@pytest.mark.parametrize(
    "case",
    [
        [],
        {"why": "no input", "expect": {}},
        {"input": {}, "expect": {}},
        {"why": "both", "input": {}, "expect": {}, "expect_error": {}},
        {"why": "neither", "input": {}},
        {"why": "typo", "input": {}, "expekt": {}},
        {"why": "a float", "input": {"price": 9.99}, "expect": {}},
    ],
)
def test_a_case_that_means_nothing_is_refused(mapping: MappingFile, case: object) -> None:
    write(mapping, case)
    with pytest.raises(ConfigError) as error:
        list(read_cases(mapping))
    assert error.value.code == "case_unreadable"


def test_cases_come_in_the_order_of_their_names(mapping: MappingFile) -> None:
    for name in ("b", "a", "c"):
        (mapping.cases / f"{name}.json").write_text(json.dumps(GOOD))
    assert [case.name for case in read_cases(mapping)] == ["a", "b", "c"]
    assert all(isinstance(case, Case) for case in read_cases(mapping))


@pytest.mark.parametrize(
    ("expected", "actual", "lines"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": True}, ["a: expected 1, got true"]),
        ({"a": "1"}, {"a": 1}, ['a: expected "1", got 1']),
        ({"a": 1}, {}, ["a: expected 1, got nothing"]),
        ({}, {"a": None}, ["a: expected nothing, got null"]),
        ({"l": [1, 2]}, {"l": [1]}, ["l[1]: expected 2, got nothing"]),
        ({"l": [{"x": 1}]}, {"l": {"x": 1}}, ['l: expected [{"x": 1}], got {"x": 1}']),
        ([], {}, ["document: expected [], got {}"]),
    ],
)
def test_differences_read_as_a_person_would_say_them(
    expected: Any, actual: Any, lines: list[str]
) -> None:
    assert differences(expected, actual) == lines


def test_many_differences_are_cut() -> None:
    found = differences({str(i): 0 for i in range(100)}, {})
    assert len(found) == 31
    assert found[-1] == "and 70 more differences"
