"""Run seeds of the simulation: ``python -m tests.sim --seeds 5000``, or replay one: ``--seed 77``."""

from __future__ import annotations

import argparse
import sys
import time

from tests.sim.bugs import BUGS
from tests.sim.run import Bug, Result, run
from tests.sim.seam import simulated


def main() -> int:
    """Run what the command line says; 1 where a promise was broken."""
    options = _options()
    bug = next((bug for bug in BUGS if bug.name == options.bug), None)
    with simulated():
        if options.seed is not None:
            return _replay(options.seed, bug)
        return _many(range(options.first, options.first + options.seeds), bug)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.sim", description=__doc__)
    parser.add_argument("--seeds", type=int, default=5000, help="how many seeds to run")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument("--seed", type=int, help="replay this one and print its history")
    parser.add_argument("--bug", choices=[bug.name for bug in BUGS], help="plant a bug")
    return parser.parse_args()


def _replay(seed: int, bug: Bug | None) -> int:
    result = run(seed, bug, always_told=True)
    sys.stdout.write(f"{result.history}\n\n{told(result)}\n")
    return bool(result.violations)


def _many(seeds: range, bug: Bug | None) -> int:
    began, broken, documents, effects, virtual = time.perf_counter(), 0, 0, 0, 0.0
    for seed in seeds:
        result = run(seed, bug)
        documents, effects = documents + result.documents, effects + result.effects
        virtual += result.seconds
        if result.violations:
            broken += 1
            sys.stdout.write(f"{told(result)}\n")
    took = time.perf_counter() - began
    sys.stdout.write(
        f"{len(seeds)} seeds, {broken} broken: {documents} documents, {effects} effects, "
        f"{virtual / 86_400:.1f} days simulated in {took:.1f} s\n"
    )
    return bool(broken)


def told(result: Result) -> str:
    """Return what a seed came to, to be read."""
    if not result.violations:
        return f"seed {result.seed}: every promise kept ({result.digest[:12]})"
    lines = [f"seed {result.seed}: python -m tests.sim --seed {result.seed}"]
    return "\n".join([*lines, *(f"  {each}" for each in result.violations)])


if __name__ == "__main__":
    sys.exit(main())
