"""`make bench`: CPU per document and stage, and orders per second, beside the naive pipeline.

Rounds are interleaved, so that a noisy neighbour meets every contender. Every run refuses its own
figure where the books do not add up: streams and ledger hold exactly the orders that were sent.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console
from rich.table import Table

from tests.bench import edi, naive
from tests.bench.hub import hub
from tests.bench.runs import Median, Run, median_of
from tests.bench.stages import stages
from tests.bench.world import World, world

RESULTS = Path("bench/results.json")
Contender = Callable[[World, int, Path], Awaitable[Run]]


async def _drain(at: World, orders: int, folder: Path, *, processes: int) -> Run:
    async with hub(at, processes, folder) as opened:
        return await opened.drain(orders)


async def _through(at: World, orders: int, folder: Path, *, each: int = 1) -> Run:
    async with hub(at, 2, folder, each) as opened:
        return await opened.through(orders)


CONTENDERS: dict[str, Contender] = {
    "crossdock, 1 worker": lambda at, n, folder: _drain(at, n, folder, processes=1),
    "crossdock, 2 workers": lambda at, n, folder: _drain(at, n, folder, processes=2),
    "crossdock, 2 workers, intake included": _through,
    "the same, ten orders an interchange": lambda at, n, folder: _through(at, n, folder, each=10),
    "naive, one at a time": lambda at, n, _: naive.drain(at, n, batched=False),
    "naive, batches of 100": lambda at, n, _: naive.drain(at, n, batched=True),
}
_HEADLINE = "crossdock, 2 workers"


async def _measure(orders: int, rounds: int, folder: Path) -> dict[str, Median]:
    runs: dict[str, list[Run]] = {name: [] for name in CONTENDERS}
    async with world(folder / "servers") as at:
        for _ in range(rounds):
            for name, contender in CONTENDERS.items():
                runs[name].append(await contender(at, orders, folder / "archives"))
    return {name: median_of(found) for name, found in runs.items()}


def _tables(steps: dict[str, float], medians: dict[str, Median], console: Console) -> None:
    table = Table("stage", "CPU us per document", "per s per core", title="One order of 12 lines")
    for name, cost in steps.items():
        table.add_row(name, f"{cost:.0f}", f"{1e6 / cost:,.0f}")
    console.print(table)
    table = Table("contender", "orders/s", "range", "cores", "CPU us per order", title="End to end")
    for name, median in medians.items():
        by = " ".join(f"{group} {cost:.0f}" for group, cost in median.cpu_us.items())
        spread = f"{median.lowest:,.0f}-{median.highest:,.0f}"
        speed, cores = f"{median.orders_per_s:,.0f}", f"{median.cores:.2f}"
        table.add_row(name, speed, spread, cores, f"{median.total_us:.0f}: {by}")
    console.print(table)
    best = medians[_HEADLINE]
    group, cost = max(best.cpu_us.items(), key=lambda each: each[1])
    share = cost / best.total_us
    console.print(f"dominates: {group}, {cost:.0f} us of CPU per order ({share:.0%} of all)")


def _results(steps: dict[str, float], medians: dict[str, Median]) -> dict[str, Any]:
    best = medians[_HEADLINE]
    return {
        "stages": {
            name: {"cpu_us_per_doc": cost, "docs_per_s": 1e6 / cost} for name, cost in steps.items()
        },
        "end_to_end": {
            "orders_per_s": best.orders_per_s,
            "processes": 2,
            "cpu_us_per_order": dict(best.cpu_us),
        },
        "peers": {
            name: {"orders_per_s": median.orders_per_s, "cpu_us_per_order": dict(median.cpu_us)}
            for name, median in medians.items()
        },
    }


def main() -> None:
    """Measure, print, and write `bench/results.json`."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--orders", type=int, default=5000, help="orders of one run")
    parser.add_argument("--rounds", type=int, default=3, help="interleaved rounds; 3 at the least")
    parser.add_argument("--quick", action="store_true", help="one round of 1,000 orders")
    given = parser.parse_args()
    orders, rounds = (1000, 1) if given.quick else (given.orders, given.rounds)
    os.environ.setdefault("CROSSDOCK_BENCH_SECRET", "no-secret-is-used-here")
    with tempfile.TemporaryDirectory(prefix="crossdock-bench-") as name:
        folder = Path(name)
        steps = stages(folder)
        medians = asyncio.run(_measure(orders, rounds, folder))
        partners = edi.measure(folder)
    _tables(steps, medians, Console(width=160))
    edi.show(partners, Console(width=160))
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_bytes(
        orjson.dumps(
            _results(steps, medians) | {"edi": partners.as_json()}, option=orjson.OPT_INDENT_2
        )
    )


if __name__ == "__main__":
    main()
