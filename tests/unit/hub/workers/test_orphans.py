"""What becomes of workers when their hub is killed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil

from tests.support.waiting import wait_until

PARENT = """
import asyncio, os, sys
from hub.settings.model import Workers
from hub.workers.pool import WorkerPool
from tests.support.paper import paper_receipt, paper_spec

async def main():
    async with WorkerPool(paper_spec(), Workers(processes=2, deadline_seconds=3600)) as pool:
        task = asyncio.create_task(pool.normalize([paper_receipt(misbehave="loop")]))
        while not pool.working:
            await asyncio.sleep(0.01)
        print(*pool.pids, flush=True)
        await task

asyncio.run(main())
"""


def test_no_worker_outlives_a_hub_that_is_killed() -> None:
    """Not even one that is busy and cannot see that its parent is gone."""
    root = Path(__file__).parents[4]
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT],
        stdout=subprocess.PIPE,
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    assert parent.stdout is not None
    pids = [int(word) for word in parent.stdout.readline().split()]
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert len(pids) == 3
    wait_until(lambda: not any(_alive(pid) for pid in pids), what="all workers gone")


def _alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
