"""Every shipped mapping: proved by cases on both engines, and clean."""

from __future__ import annotations

import pytest

from canonical.errors import ConfigError
from hub.mapping.cases import Case, read_cases, run_case
from hub.mapping.files import MappingFile, mapping_files, shipped_mappings
from hub.mapping.lint.check import lint_mapping
from hub.mapping.lint.known import source_fields, sources

FILES = {file.name.removeprefix("mappings/"): file for file in mapping_files(shipped_mappings())}


def _cases(file: MappingFile) -> list[Case]:
    try:
        return list(read_cases(file))
    except ConfigError as error:
        pytest.fail(str(error))


CASES = [
    pytest.param(file, case, id=f"{name} {case.name}")
    for name, file in FILES.items()
    for case in _cases(file)
]


def test_there_are_mappings() -> None:
    assert FILES


@pytest.mark.parametrize("file", FILES.values(), ids=FILES)
def test_every_mapping_has_a_case(file: MappingFile) -> None:
    assert _cases(file), f"{file.name} has no worked case"


@pytest.mark.parametrize("file", FILES.values(), ids=FILES)
def test_every_mapping_is_free_of_errors(file: MappingFile) -> None:
    errors = [
        f"{each.place} {each.rule} {each.message}"
        for each in lint_mapping(file, sources(file), source_fields(file))
        if each.is_error
    ]
    assert errors == []


@pytest.mark.parametrize(("file", "case"), CASES)
def test_a_worked_case_comes_out_as_written_on_both_engines(file: MappingFile, case: Case) -> None:
    problems = {outcome.engine: outcome.problems for outcome in run_case(file, case)}
    assert problems == {"jsonatapy": (), "jsonata-python": ()}


def test_no_case_is_left_without_its_mapping() -> None:
    folders = {file.cases for file in FILES.values()}
    assert set(shipped_mappings().glob("*/*.cases")) <= folders
