"""Run by ``make teeth``: every seeded bug must be caught by its test; pytest collects this by name."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.teeth.bugs import BUGS, Bug
from tests.support.hub_process import ROOT

FAILED = 1
"""What pytest ends with when tests ran, and some failed."""


def outcome(bug: Bug, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run the test of a bug in a process of its own.

    Assertions stay as they are: what rewrites them would load the hub's modules past the bug,
    because the hub brings a plugin of pytest.
    """
    options = ["-q", "-x", "--assert=plain", "-p", "no:cacheprovider"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *options, bug.caught_by],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.parametrize("name", sorted(BUGS))
def test_the_bug_is_caught(name: str, tmp_path: Path) -> None:
    mark = tmp_path / "was-there"
    environment = {
        "CROSSDOCK_TOOTH": name,
        "CROSSDOCK_TOOTH_MARK": str(mark),
        "PYTHONPATH": str(Path(__file__).parent),
    }
    found = outcome(BUGS[name], environment)
    assert mark.exists(), f"the bug was never there: {found.stdout[-2000:]}"
    assert found.returncode == FAILED, f"not caught: {found.stdout[-2000:]}{found.stderr[-2000:]}"
    if os.environ.get("CROSSDOCK_TEETH_CONTROL"):
        assert outcome(BUGS[name], {}).returncode == 0, "its test fails without the bug, too"
