"""The simulation has teeth: each planted bug is caught by the seeds that every change must pass."""

from __future__ import annotations

import pytest

from tests.sim.bugs import BUGS
from tests.sim.run import Bug, run
from tests.sim.seam import simulated

_MOST = 2000


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_planted_bug_is_caught(bug: Bug) -> None:
    with simulated():
        assert any(run(seed, bug).violations for seed in range(_MOST)), bug.says
