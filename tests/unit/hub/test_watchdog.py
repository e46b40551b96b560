"""The watchdog: a loop that stands still ends its process; one that is starved or stopped does not."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import psutil
import pytest

from hub.watchdog import EXIT_CODE, STALL_SECONDS, Standstill, starvation
from tests.support.processes import Spawner
from tests.support.waiting import wait_until

HUB = """
import asyncio, sys, time
from hub.watchdog import Watchdog

async def main() -> None:
    stop = asyncio.Event()
    watching = asyncio.create_task(Watchdog(stall=3).run(stop))
    await asyncio.sleep(0.1)
    print("at work", flush=True)
    {body}
    stop.set()
    await watching

asyncio.run(main())
"""


def looked(*looks: tuple[int, float, float]) -> float:
    """How long it has stood still after looks of (ticks, now, starved)."""
    standstill = Standstill(0.0, 0.0)
    return [standstill.look(*look) for look in looks][-1]


def test_a_loop_that_does_not_tick_stands_still() -> None:
    assert looked(*((0, float(now), 0.0) for now in range(1, 17))) > STALL_SECONDS


def test_every_tick_begins_anew() -> None:
    assert looked((0, 1, 0), (0, 2, 0), (1, 3, 0), (1, 4, 0)) == 1


def test_what_it_waited_for_a_processor_does_not_count() -> None:
    starved = [(0, float(now), now * 0.9) for now in range(1, 61)]
    assert looked(*starved) == pytest.approx(6)


def test_a_process_that_was_stopped_for_an_hour_did_not_stand_still_for_one() -> None:
    assert looked((0, 1, 0), (0, 3600, 0)) <= 3


def test_a_loop_that_spins_while_starved_is_found_out_by_the_time_that_it_had() -> None:
    spinning = [(0, float(now), now * 0.5) for now in range(1, 33)]
    assert looked(*spinning) > STALL_SECONDS


def test_linux_tells_what_a_thread_waited_for_a_processor() -> None:
    if not Path("/proc/self/schedstat").exists():
        pytest.skip("this system keeps no schedstat")
    seconds = starvation(threading.get_native_id())
    before = seconds()
    assert before >= 0
    assert seconds() >= before


def test_a_thread_that_is_gone_was_never_starved() -> None:
    assert starvation(2**30)() == 0


@pytest.mark.parametrize(
    "body", ["time.sleep(60)", "exec('while True: pass')"], ids=["blocks", "spins"]
)
def test_a_loop_that_blocks_or_spins_ends_its_process(
    spawn: Spawner, body: str, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    process = spawn.python(["-c", HUB.format(body=body)], log=log)
    assert process.wait(120) == EXIT_CODE
    assert "the event loop stood still" in log.read_text()


def test_a_process_that_was_stopped_for_longer_goes_on(spawn: Spawner, tmp_path: Path) -> None:
    log = tmp_path / "log"
    process = spawn.python(["-c", HUB.format(body="await asyncio.sleep(4)")], log=log)
    wait_until(lambda: log.exists() and "at work" in log.read_text(), 60, "it is at work")
    os.kill(process.pid, signal.SIGSTOP)
    stopped_at = time.monotonic()
    wait_until(lambda: psutil.Process(process.pid).status() == psutil.STATUS_STOPPED)
    wait_until(lambda: time.monotonic() - stopped_at > 5, 30)
    os.kill(process.pid, signal.SIGCONT)
    assert process.wait(120) == 0
