"""One process that replays and delivers: ``python -m tests.support.replay_process DATABASE_URL FOLDER``.

Runs until it is told to stop (SIGTERM) or is killed. Effects are lines of ``FOLDER/effects``.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

from hub.clock import SystemClock
from hub.dead_letters.runner import ReplayRunner
from hub.delivery.role import DeliverRole
from hub.jobs import Jobs, Scheduled
from hub.ledger.engine import open_engine
from hub.ledger.turns import Turns
from hub.telemetry.metrics import Metrics
from tests.support.deliveries import LIMITS, JournalTarget, parts, spec


async def main(url: str, folder: Path) -> None:
    """Replay and deliver until told to stop."""
    engine, stop = open_engine(url), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    quick = LIMITS.model_copy(update={"timeout_seconds": 0.5})
    role = DeliverRole(spec(JournalTarget(folder / "effects"), limits=quick), parts(engine))
    clock = SystemClock()
    runner = ReplayRunner(engine, clock, frozenset(), lambda _target: role.wake())
    turns = Turns(engine)
    jobs = Jobs(turns, {"letters": Scheduled(0.02, runner.run)}, Metrics().job_failures, clock)
    await asyncio.gather(role.run(stop), jobs.run(stop))
    await turns.close()
    await engine.dispose()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
