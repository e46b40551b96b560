"""Run faults: ``python -m tests.faults gate|campaign|replay|report|outage``; see docs/fault-report.md."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
import traceback
from pathlib import Path

from tests.faults import report
from tests.faults.outage import outage
from tests.faults.run import Outcome, Plan, replay, run, unjudged
from tests.faults.schedule import SERVERS

GATE = Plan(seed=1, documents=20_000, kills=50, seconds=480)


def main() -> int:
    """Do what was asked; 1 where an invariant was breached."""
    asked = _parser().parse_args()
    folder = asked.folder or Path(tempfile.mkdtemp(prefix="crossdock-faults-"))
    if asked.command == "report":
        report.write(asked.folder)
        return 0
    outcomes = []
    if asked.command == "replay":
        outcomes.append(replay(asked.history, folder / "replay"))
    elif asked.command == "outage":
        outcomes.append(outage(folder / asked.server, asked.server, asked.seconds, asked.seed))
    elif asked.command == "campaign":
        outcomes += _campaign(folder, asked)
    else:
        outcomes.append(_gate(folder, _plan(asked, asked.seed)))
    for outcome in outcomes:
        print(json.dumps(outcome.result, indent=1))  # noqa: T201
    good = all(outcome.holds for outcome in outcomes)
    if good and asked.folder is None:
        shutil.rmtree(folder)
    else:
        print(f"kept: {folder}")  # noqa: T201
    return 0 if good else 1


def _gate(folder: Path, plan: Plan) -> Outcome:
    """Do one run that must reach what was asked of it: too few strikes would prove too little."""
    outcome = run(folder / f"seed-{plan.seed}", plan)
    verdict = outcome.result["verdict"]
    kills = outcome.result["kills_total"]
    documents = verdict["counts"].get("documents_acknowledged", 0)
    if kills < plan.kills or documents < plan.documents:
        verdict["holds"] = False
        verdict["problems"]["too_little"] = [f"{kills} kills and {documents} documents in time"]
    return outcome


def _campaign(folder: Path, asked: argparse.Namespace) -> list[Outcome]:
    """Run seed after seed until the time is over; one that ends without a verdict ends no other.

    Seeds whose folders are there were run before: a campaign that was stopped goes on behind them.
    """
    end = time.monotonic() + asked.hours * 3600
    outcomes: list[Outcome] = []
    seed = asked.seed
    while time.monotonic() < end:
        while (own := folder / f"seed-{seed}").exists():
            seed += 1
        plan = _plan(asked, seed)
        try:
            outcome = run(own, plan)
        except Exception:  # unattended: whatever it was is told, and counted as no good run
            outcome = unjudged(own, plan, traceback.format_exc())
        outcomes.append(outcome)
        print(f"seed {seed}: {'holds' if outcome.holds else 'BREACHED'}", flush=True)  # noqa: T201
    return outcomes


def _plan(asked: argparse.Namespace, seed: int) -> Plan:
    return Plan(seed, asked.documents, asked.kills, asked.seconds, rate=asked.rate, pace=asked.pace)


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
