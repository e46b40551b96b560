"""The matrices say of every row which tests prove it; a test that does not exist proves nothing."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

from tests.faults import fault_matrix, input_matrix, report
from tests.faults.rows import Row
from tests.support.hub_process import ROOT

ALL = [*fault_matrix.ROWS, *input_matrix.ROWS]


@cache
def names(path: Path) -> frozenset[str]:
    """The functions that a file defines."""
    tree = ast.parse(path.read_text("utf-8"))
    kinds = ast.FunctionDef | ast.AsyncFunctionDef
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, kinds))


@pytest.mark.parametrize(
    ("rows", "count"), [(fault_matrix.ROWS, 46), (input_matrix.ROWS, 64)], ids=["faults", "inputs"]
)
def test_no_row_is_missing(rows: tuple[Row, ...], count: int) -> None:
    assert [row.number for row in rows] == list(range(1, count + 1))


@pytest.mark.parametrize("row", ALL, ids=lambda row: row.what)
def test_a_row_is_proven_by_tests_that_exist_or_says_why_not(row: Row) -> None:
    assert row.tests or row.not_run
    for node in row.tests:
        file, _, name = node.partition("::")
        assert (ROOT / file).is_file(), file
        assert name in names(ROOT / file), node


def test_the_report_says_what_the_matrices_say() -> None:
    page = (ROOT / "docs" / "fault-report.md").read_text("utf-8")
    assert report.matrices() in page, "run: .venv/bin/python -m tests.faults report"
