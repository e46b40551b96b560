"""One run: a world under load and strikes, until there was enough; then a verdict."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from tests.faults import checker, dump
from tests.faults.journal import Journal, read
from tests.faults.load import Load
from tests.faults.nemesis import Nemesis
from tests.faults.partners import CANARY
from tests.faults.schedule import Strike, schedule, strike_from
from tests.faults.world import World
from tests.support.hub_process import ROOT

_LOOK_SECONDS = 1.0
PATIENCE = 400.0
"""Seconds without any progress after which a world counts as stuck."""
_LONGEST = 4


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run is to do.

    Partners send `rate` documents a second. A run strikes until `kills` and `documents` are reached
    or `seconds` are over, then mends everything and waits for all to come to rest, up to `settle`
    seconds without progress.
    """

    seed: int
    documents: int
    kills: int
    seconds: float
    rate: float = 60.0
    settle: float = PATIENCE
    pace: float = 2.0


@dataclass(slots=True)
class Outcome:
    """What a run came to."""

    folder: Path
    plan: Plan
    result: dict[str, Any]

    @property
    def holds(self) -> bool:
        """Whether every invariant held."""
        return bool(self.result["verdict"]["holds"])


def run(folder: Path, plan: Plan, strikes: Iterable[Strike] | None = None) -> Outcome:
    """Do one run in a folder of its own; everything that is known of it stays there.

    Args:
        folder: must not exist yet.
        plan: how much of everything.
        strikes: what to do to the world; None makes them from the seed.

    """
    folder.mkdir(parents=True)
    history = Journal(folder / "history.jsonl")
    history.append(seed=plan.seed, commit=_commit(), plan=plan_row(plan))
    began = time.monotonic()
    world = World(folder, plan.seed)
    try:
        world.start()
        load = world.load(plan.rate)
        nemesis = Nemesis(world, load, history)
        load.start()
        started = time.monotonic()
        nemesis.run(strikes or schedule(plan.seed, plan.pace), _enough(plan, nemesis, load))
        problems = settle(world, load, plan.settle)
        settled = time.monotonic()
        dump.write(world, folder)
        verdict = checker.check(folder, world.secrets(), [CANARY])
    finally:
        world.close()
        history.close()
    for kind, what in problems:
        verdict.blame(kind, what)
    for what in nemesis.deserted:
        verdict.blame("deserted", what)
    result = {
        "seed": plan.seed,
        "commit": _commit(),
        "seconds": round(time.monotonic() - began, 1),
        "seconds_of_load": round(settled - started, 1),
        "kills": dict(sorted(nemesis.kills.items())),
        "kills_total": sum(nemesis.kills.values()),
        "strikes": _strikes(folder),
        "statuses": load.statuses(),
        "recovery": recovery(folder),
        "verdict": verdict.row(),
    }
    (folder / "result.json").write_text(json.dumps(result, indent=1))
    if verdict.holds:  # nobody will look for what is in there
        for heavy in ("servers", "archive", "folders"):
            shutil.rmtree(folder / heavy)
    return Outcome(folder, plan, result)


def unjudged(folder: Path, plan: Plan, why: str) -> Outcome:
    """Keep that a run ended before a verdict: it counts as one that does not hold."""
    verdict = checker.Verdict()
    verdict.blame("unjudged", why)
    result = {
        "seed": plan.seed,
        "commit": _commit(),
        "seconds": 0.0,
        "kills": {},
        "kills_total": 0,
        "strikes": _strikes(folder),
        "statuses": {},
        "recovery": {},
        "verdict": verdict.row(),
    }
    (folder / "result.json").write_text(json.dumps(result, indent=1))
    return Outcome(folder, plan, result)


def replay(history: Path, folder: Path) -> Outcome:
    """Do the same to a new world as was done in an earlier run: same load, same strikes."""
    return run(folder, *planned(history))


def planned(history: Path) -> tuple[Plan, list[Strike]]:
    """Read what a run was to do, and what it did to the world."""
    rows = list(read(history))
    strikes = [strike_from(row["strike"]) for row in rows if "strike" in row]
    return Plan(**rows[0]["plan"]), strikes


def recovery(folder: Path) -> dict[str, float]:
    """How long nobody heard a yes: after strikes (p50, p95, most), and the longest silence."""
    yes = [row["at"] for row in read(folder / "partners.jsonl") if row["said"] == "accepted"]
    ends = [row["at"] for row in read(folder / "history.jsonl") if "strike" in row]
    waits = sorted(
        later - end for end in ends if (later := next((at for at in yes if at > end), None))
    )
    silences = [after - before for before, after in pairwise(yes)]
    if not waits or not silences:
        return {}
    return {
        "p50_seconds": round(waits[len(waits) // 2], 2),
        "p95_seconds": round(waits[int(len(waits) * 0.95)], 2),
        "most_seconds": round(waits[-1], 2),
        "longest_silence_seconds": round(max(silences), 2),
    }


def _enough(plan: Plan, nemesis: Nemesis, load: Load) -> Any:
    end = time.monotonic() + plan.seconds

    def enough() -> bool:
        reached = sum(nemesis.kills.values()) >= plan.kills
        return (reached and load.sent >= plan.documents) or time.monotonic() > end

    return enough


def settle(world: World, load: Load, seconds: float) -> list[tuple[str, str]]:
    """Send nothing new and wait until all has come to rest; what had not is the problem.

    It is given up once nothing has become less for so many seconds: on a machine that others use,
    a hub that goes on slowly is not one that stands still. `_LONGEST` times that is the end.
    """
    load.stop()
    left: dict[str, int] = {"not asked": 1}
    least, end = None, time.monotonic() + seconds
    last = end + (_LONGEST - 1) * seconds
    while time.monotonic() < min(end, last):
        with suppress(Exception):
            left = world.under_way()
            amount = sum(left.values()) + load.unheard
            if load.done and not left:
                return []
            if least is None or amount < least:
                least, end = amount, time.monotonic() + seconds
        time.sleep(_LOOK_SECONDS)
    if not load.done:
        return [("not_at_rest", "partners still wait for their yes")]
    return [("not_at_rest", f"{count} {name}") for name, count in left.items()]


def _strikes(folder: Path) -> dict[str, int]:
    found: dict[str, int] = {}
    for row in read(folder / "history.jsonl"):
        if "strike" in row:
            what = f"{row['strike']['kind']} {row['outcome'].split(' ')[0]}"
            found[what] = found.get(what, 0) + 1
    return found


def plan_row(plan: Plan) -> dict[str, Any]:
    """A plan, as a history keeps it."""
    return {name: getattr(plan, name) for name in Plan.__dataclass_fields__}


def _commit() -> str:
    asked = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],  # noqa: S607
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return asked.stdout.strip() or "unknown"
