"""Run faults: ``python -m tests.faults gate|campaign|replay|report|outage``; see docs/fault-report.md."""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from tests.faults import checker, report
from tests.faults.outage import outage
from tests.faults.run import PATIENCE, Outcome, Plan, replay, run, unjudged
from tests.faults.schedule import SERVERS

GATE = Plan(seed=1, documents=20_000, kills=50, seconds=480, rate=75, settle=50, pace=1.0)
"""With what it starts and judges it ends within ten minutes, unless it still makes progress then."""


def main() -> int:
    """Do what was asked; 1 where an invariant was breached."""
    asked = _parser().parse_args()
    signal.signal(signal.SIGTERM, _end)  # told to stop, it leaves nothing running
    folder = asked.folder or Path(tempfile.mkdtemp(prefix="crossdock-faults-"))
    if asked.command == "report":
        report.write(asked.folder)
        return 0
    outcomes = []
    for outcome in _asked_for(folder, asked):
        print(report.account(outcome.result), flush=True)  # noqa: T201
        outcomes.append(outcome)
    good = all(outcome.holds for outcome in outcomes)
    if good and asked.folder is None:
        shutil.rmtree(folder)
    else:
        print(f"kept: {folder}")  # noqa: T201
    return 0 if good else 1


def _end(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)


def _asked_for(folder: Path, asked: argparse.Namespace) -> Iterator[Outcome]:
    """Run what was asked for; each outcome as soon as it is known."""
    if asked.command == "replay":
        yield replay(asked.history, folder / "replay")
    elif asked.command == "outage":
        yield outage(folder / asked.server, asked.server, asked.seconds, asked.seed)
    elif asked.command == "campaign":
        yield from _campaign(folder, asked)
    else:
        yield _gate(folder, _plan(asked, asked.seed))


def _gate(folder: Path, plan: Plan) -> Outcome:
    """Do one run that must reach what was asked of it: too few strikes would prove too little."""
    outcome = run(folder / f"seed-{plan.seed}", plan)
    verdict = outcome.result["verdict"]
    kills = outcome.result["kills_total"]
    documents = checker.documents(verdict["counts"])
    if kills < plan.kills or documents < plan.documents:
        verdict["holds"] = False
        verdict["problems"]["too_little"] = [f"{kills} kills and {documents} documents in time"]
    return outcome


def _campaign(folder: Path, asked: argparse.Namespace) -> Iterator[Outcome]:
    """Run seed after seed until the time is over; one that ends without a verdict ends no other.

    Seeds whose folders are there were run before: a campaign that was stopped goes on behind them.
    """
    end = time.monotonic() + asked.hours * 3600
    seed = asked.seed
    while time.monotonic() < end:
        while (own := folder / f"seed-{seed}").exists():
            seed += 1
        plan = _plan(asked, seed)
        try:
            yield run(own, plan)
        except Exception:  # unattended: whatever it was is told, and counted as no good run
            yield unjudged(own, plan, traceback.format_exc())


def _plan(asked: argparse.Namespace, seed: int) -> Plan:
    """Make the plan of a run; one that nobody waits for may take its time to come to rest."""
    patience = GATE.settle if asked.command == "gate" else PATIENCE
    amounts = (asked.documents, asked.kills, asked.seconds, asked.rate)
    return Plan(seed, *amounts, settle=patience, pace=asked.pace)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("command", choices=("gate", "campaign", "replay", "report", "outage"))
    parser.add_argument("history", nargs="?", type=Path, help="history.jsonl of an earlier run")
    parser.add_argument("--server", choices=(*SERVERS, "sandbox"), default="nats", help="of outage")
    parser.add_argument("--folder", type=Path, help="where everything of the run is kept")
    parser.add_argument("--seed", type=int, default=GATE.seed)
    parser.add_argument("--documents", type=int, default=GATE.documents)
    parser.add_argument("--kills", type=int, default=GATE.kills)
    parser.add_argument("--seconds", type=float, default=GATE.seconds, help="most, of strikes")
    parser.add_argument("--rate", type=float, default=GATE.rate, help="documents a second")
    parser.add_argument(
        "--pace", type=float, default=GATE.pace, help="most seconds between strikes"
    )
    parser.add_argument("--hours", type=float, default=2.0, help="of a campaign")
    return parser


if __name__ == "__main__":
    sys.exit(main())
