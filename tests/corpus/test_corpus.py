"""Real EDI files of many origins: counted like others count them, judged as the page says."""

from __future__ import annotations

import re
from functools import cache

import pytest

from tests.corpus.__main__ import PAGE, folder, written
from tests.corpus.looking import (
    Looked,
    Row,
    disagreement_table,
    explained,
    look,
    rows,
    verdict_table,
)

ROWS = rows(folder())
pytestmark = pytest.mark.skipif(not ROWS, reason="no samples here: set CROSSDOCK_SAMPLES")

HANG_SECONDS = 2.0


@cache
def found(row: Row) -> Looked:
    return look(folder(), row)


def explained_counts() -> set[str]:
    """Files whose envelopes the page says are counted otherwise than the manifest does."""
    section = PAGE.read_text("utf-8").partition("## Counted otherwise")[2]
    return set(re.findall(r"^\| ((?:x12|edifact)/\S+) \|", section, re.M))


def test_there_are_hundreds_of_them() -> None:
    assert len(ROWS) > 300


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.path)
def test_each_is_read_in_time_with_the_envelopes_of_an_independent_count(row: Row) -> None:
    assert found(row).cpu_seconds < HANG_SECONDS
    if row.path not in explained_counts():
        assert found(row).counts == row.counts


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.path)
def test_who_disagrees_with_its_source_is_explained_with_all_that_refuses_it(row: Row) -> None:
    each = found(row)
    reason = explained().get(row.path)
    assert each.disagrees is (reason is not None)
    if reason is not None:
        assert each.codes <= reason.codes
        assert reason.why


def test_the_page_tells_every_verdict_and_every_disagreement() -> None:
    page = PAGE.read_text("utf-8")
    all_of_them = [found(row) for row in ROWS]
    for name, table in (("verdicts", verdict_table), ("disagreements", disagreement_table)):
        assert written(page, name, list(table(all_of_them))) == page, "run: make corpus"
    letters = {each.section for each in explained().values()}
    assert letters == set(re.findall(r"^- \*\*([A-Z])\*\*", page, re.M))
