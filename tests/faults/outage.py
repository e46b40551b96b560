"""One server away for long: is the hub quiet meanwhile, how soon does it go on, is all accounted for."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx

from tests.faults import checker, dump
from tests.faults.journal import Journal
from tests.faults.load import Load
from tests.faults.partners import CANARY
from tests.faults.run import Outcome, Plan, plan_row, settle
from tests.faults.schedule import Strike
from tests.faults.world import World

RATE = 10.0
"""Documents a second; what waits after ten minutes is then gone within seconds."""
_WARM_SECONDS = 20.0
_RESUME_SECONDS = 120.0
_LOOK_SECONDS = 0.1
_CALM_SECONDS = 15.0
"""Before quiet is measured: what was in flight when the server went is over by then."""


def outage(folder: Path, server: str, seconds: float, seed: int) -> Outcome:
    """Take one server away for so long under load, and judge what came of it.

    Returns:
        The outcome; its result has ``outage``: share of one core that hub-a used while it waited,
        what callers were answered, and seconds from the server's return until somebody heard yes
        and until something took effect.

    """
    folder.mkdir(parents=True)
    plan = Plan(seed, documents=0, kills=1, seconds=seconds, rate=RATE)
    history = Journal(folder / "history.jsonl")
    history.append(seed=seed, plan=plan_row(plan))
    began, world = time.monotonic(), World(folder, seed)
    try:
        world.start()
        load = world.load(plan.rate)
        load.start()
        time.sleep(_WARM_SECONDS)
        found = _away(world, load, server, seconds)
        history.append(strike=Strike("kill", server, 0, seconds).row(), outcome="killed")
        problems = settle(world, load, plan.settle)
        dump.write(world, folder)
        found["stopped_with"] = world.hubs["hub-b"].terminate()
        verdict = checker.check(folder, world.secrets(), [CANARY])
    finally:
        world.close()
        history.close()
    for kind, what in problems:
        verdict.blame(kind, what)
    result = {"seed": seed, "server": server, "seconds": round(time.monotonic() - began, 1)}
    result |= {"outage": found, "verdict": verdict.row()}
    (folder / "outage.json").write_text(json.dumps(result, indent=1))
    return Outcome(folder, plan, result)


def _away(world: World, load: Load, server: str, seconds: float) -> dict[str, Any]:
    hub = world.hubs["hub-a"]
    if server == "sandbox":
        world.sandbox.kill()
    else:
        world.servers.kill(server)
    gone = time.monotonic()
    time.sleep(min(_CALM_SECONDS, seconds / 2))
    since, used = time.monotonic(), hub.cpu_seconds()
    time.sleep(max(0.0, seconds - (since - gone)))
    share = (hub.cpu_seconds() - used) / (time.monotonic() - since)
    answers = load.statuses()
    refusal = _call(hub.url)
    accepted, taken = load.accepted, world.dock.taken
    if server == "sandbox":
        world.sandbox.start()
    else:
        world.servers.start(server)
    back = time.monotonic()
    return {
        "down_seconds": round(back - gone, 1),
        "cpu_share_while_down": round(share, 3),
        "answers": answers,
        "a_call_while_down": refusal,
        "alive": all(one.alive for one in world.hubs.values()),
        "yes_again_after_seconds": _until(lambda: load.accepted > accepted, back),
        "effects_again_after_seconds": _until(lambda: world.dock.taken > taken, back),
    }


def _call(url: str) -> dict[str, Any]:
    """What a caller without a signature hears: its refusal needs no server, a 503 names a wait."""
    with suppress(httpx.HTTPError):
        answer = httpx.get(f"{url}/readyz", timeout=10)
        return {"readyz": answer.status_code, "retry_after": answer.headers.get("retry-after")}
    return {"readyz": 0}


def _until(condition: Callable[[], bool], since: float) -> float | None:
    while time.monotonic() - since < _RESUME_SECONDS:
        if condition():
            return round(time.monotonic() - since, 1)
        time.sleep(_LOOK_SECONDS)
    return None
