"""The account of a run is short, and hides nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.faults import report
from tests.faults.checker import Verdict
from tests.faults.run import Plan, unjudged
from tests.support.hub_process import ROOT


def result(verdict: Verdict) -> dict[str, Any]:
    """A run that came to this verdict."""
    return {
        "seed": 7,
        "commit": "0000000",
        "seconds": 61.0,
        "kills": {"hub-a": 3},
        "kills_total": 3,
        "strikes": {},
        "recovery": {},
        "verdict": verdict.row(),
    }


def test_a_good_run_takes_three_lines() -> None:
    good = Verdict()
    good.counts["documents_acknowledged"] = 1200
    assert report.account(result(good)).splitlines() == [
        "seed 7: holds",
        "  1,200 documents acknowledged, 3 kills, 61 s",
        "  0 lost, 0 doubled, 0 reordered, 0 unexplained, 0 given up, 0 unjudged",
    ]


def test_every_breach_is_named() -> None:
    bad = Verdict()
    bad.blame("lost", "PO-1 v1 was acknowledged, and the ledger does not know it")
    told = report.account(result(bad))
    assert told.startswith("seed 7: BREACHED")
    assert "1 lost" in told
    assert "lost: PO-1 v1 was acknowledged" in told


def test_what_a_run_that_was_cut_off_had_in_hand_counts_neither_as_lost_nor_as_well() -> None:
    unfinished = Verdict()
    unfinished.counts["documents_acknowledged"] = 50
    unfinished.blame("lost", "PO-1 v1 was acknowledged, and the ledger does not know it")
    unfinished.blame("not_at_rest", "98 receipts")
    told = report.figures([result(unfinished)])
    assert "**0 documents acknowledged, 3 kills: 0 lost" in told
    assert "Seed 7 was cut off with work in hand (98 receipts)" in told
    assert "CUT OFF" in told
    late = Verdict()
    late.blame("not_at_rest", "partners still wait for their yes")
    assert "BREACHED" in report.figures([result(late)])


def test_a_run_without_a_verdict_is_no_good_run_and_keeps_its_reason(tmp_path: Path) -> None:
    outcome = unjudged(tmp_path, Plan(9, documents=1, kills=1, seconds=1), "it never began")
    assert not outcome.holds
    (kept,) = report.gather(tmp_path, "result.json")
    assert "it never began" in report.account(kept)
    assert "BREACHED" in report.figures([kept])


@pytest.mark.parametrize("step", ["check", "test"])
def test_every_change_goes_through(step: str) -> None:
    run = (ROOT / ".ci" / "run").read_text("utf-8").splitlines()
    assert any(line.endswith(f"make --no-print-directory {step}") for line in run)
