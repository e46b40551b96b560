"""Every promise of the hub, under every fault that the simulation knows, seed by seed."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.sim.__main__ import told
from tests.sim.run import run
from tests.sim.seam import simulated
from tests.support.processes import ROOT

SEEDS = int(os.environ.get("SEEDS", "5000"))
_CHUNK = 250


@pytest.mark.parametrize("first", range(0, SEEDS, _CHUNK))
def test_every_promise_is_kept(first: int) -> None:
    with simulated():
        for seed in range(first, min(first + _CHUNK, SEEDS)):
            result = run(seed)
            assert not result.violations, f"{told(result)}\n\n{result.history}"


def test_a_seed_is_the_same_run_again() -> None:
    with simulated():
        assert [run(seed).digest for seed in range(20)] == [run(seed).digest for seed in range(20)]


def test_a_seed_is_the_same_run_in_every_process() -> None:
    with simulated():
        here = run(7, always_told=True)
    assert here.history
    for hashes in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-m", "tests.sim", "--seed", "7"],
            cwd=ROOT,
            env=os.environ | {"PYTHONHASHSEED": hashes},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        assert done.stdout.startswith(here.history)
