"""What an order costs in a small ledger and in a large one, and how memory goes: `make growth-cost`.

    python -m tests.bench.growth_cost [--sizes 10000,100000,1000000] [--orders 3000] [--rounds 3]
    python -m tests.bench.growth_cost --long 300000

Ledgers of each size are made once and copied for every run; runs of all sizes take turns, so that
whatever else the machine does falls on all of them. With `--long`, so many orders go through one
hub, and the memory of its processes is looked at on the way: what grows is said per million.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import asyncpg
import nats.errors
import psutil
import redis.asyncio as redis_client

from hub.servers.addresses import Addresses
from tests.bench.hub import Hub, hub
from tests.bench.rows import Shape, fill
from tests.bench.runs import Run
from tests.bench.world import World, connected, world
from tests.support import databases

PROMISED = 1.15
_PIECE = 5_000
_WARM = 600


@dataclass(slots=True)
class Grown(World):
    """Servers whose fresh ledgers are copies of one that is filled."""

    like: str = ""

    async def fresh(self) -> Addresses:
        """Copy the filled ledger; empty the streams and Redis."""
        name = f"{self.like}_{next(self._names)}"
        copied = f'CREATE DATABASE "{name}" TEMPLATE "{self.like}" STRATEGY file_copy'
        await databases.execute(self.addresses.database_url, copied)
        async with connected(self.addresses.nats_url) as (_, js):
            for stream in await js.streams_info():
                await js.delete_stream(str(stream.config.name))
        async with redis_client.Redis.from_url(self.addresses.redis_url) as redis:
            await redis.flushall()
        return replace(
            self.addresses, database_url=databases.named(self.addresses.database_url, name)
        )


async def grown(at: World, documents: int) -> Grown:
    """Make the ledger that runs of a size begin with."""
    name = f"grown_{documents}"
    url = await databases.make_database(at.addresses.database_url, name)
    ledger = await asyncpg.connect(url)
    try:
        await fill(ledger, Shape(documents), lambda _: None)
    finally:
        await ledger.close()
    return Grown(at.addresses, at.pids, like=name)


async def cost(sizes: list[int], orders: int, rounds: int, folder: Path) -> dict[str, Any]:
    """Return processor time of an order by size, and how much more the largest ledger takes."""
    runs: dict[int, list[Run]] = {size: [] for size in sizes}
    async with world(folder / "servers") as at:
        worlds = {size: await grown(at, size) for size in sizes}
        for _ in range(rounds):
            for size, each in worlds.items():
                async with hub(each, 2, folder / "archives") as opened:
                    await opened.drain(_WARM)
                    runs[size].append(await opened.drain(orders))
    by_size = {str(size): _medians(found) for size, found in runs.items()}
    totals = [sum(each.values()) for each in by_size.values()]
    ratio = round(totals[-1] / totals[0], 3)
    return {"cpu_us_per_order": by_size, "largest_to_smallest": ratio, "promised": PROMISED}


def _medians(runs: list[Run]) -> dict[str, float]:
    return {
        group: round(statistics.median(run.cpu[group] / run.orders * 1e6 for run in runs), 1)
        for group in runs[0].cpu
    }


async def long(orders: int, folder: Path) -> dict[str, Any]:
    """Return the memory of the hub's processes along so many orders, and its slope."""
    seen: list[tuple[int, dict[str, float]]] = []
    async with (
        world(folder / "servers") as at,
        hub(at, 2, folder / "archives") as opened,
    ):
        for done in range(_PIECE, orders + _PIECE, _PIECE):
            await opened.drain(_PIECE)
            await _purge(opened)
            seen.append((done, _memory(opened)))
    half = [each for each in seen if each[0] >= orders / 2]
    return {
        "orders": orders,
        "mb": {str(done): memory for done, memory in seen[:: max(1, len(seen) // 12)]},
        "mb_per_million_in_the_second_half": {
            name: round(_slope([(n, memory[name]) for n, memory in half]) * 1e6, 1)
            for name in half[0][1]
        },
    }


async def _purge(opened: Hub) -> None:
    """Let go of decided receipts as the hub's housekeeping does; what is published is counted."""
    try:
        await opened.js.purge_stream("INTAKE")
    except nats.errors.Error as error:
        raise RuntimeError("the stream could not be purged") from error


def _memory(opened: Hub) -> dict[str, float]:
    """Return resident memory in MB: of this process, which is the hub, and of the workers."""
    workers = [
        process.memory_info().rss
        for pid in opened.workers.pids
        for process in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True))
    ]
    own = psutil.Process().memory_info().rss
    return {"hub": round(own / 1e6, 1), "workers": round(sum(workers) / 1e6, 1)}


def _slope(points: list[tuple[int, float]]) -> float:
    """Return the slope of a straight line through points (least squares)."""
    if len(points) < 2:
        return 0.0
    mean_x = statistics.mean(x for x, _ in points)
    mean_y = statistics.mean(y for _, y in points)
    above = sum((x - mean_x) * (y - mean_y) for x, y in points)
    return above / sum((x - mean_x) ** 2 for x, _ in points)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="10000,100000,1000000")
    parser.add_argument("--orders", type=int, default=3000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--long", type=int)
    given = parser.parse_args()
    os.environ.setdefault("CROSSDOCK_BENCH_SECRET", "no-secret-is-used-here")
    with tempfile.TemporaryDirectory(prefix="crossdock-growth-") as name:
        folder = Path(name)
        if given.long:
            found = asyncio.run(long(given.long, folder))
        else:
            sizes = [int(each) for each in given.sizes.split(",")]
            found = asyncio.run(cost(sizes, given.orders, given.rounds, folder))
    sys.stdout.write(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
