"""Asking a ledger everything, several times, and saying which statement is too slow."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import orjson
import structlog
from rich.console import Console
from rich.table import Table
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.ledger.engine import open_engine
from tests.bench.growth_asks import ASKS, RUNS, Asked, Keys, Ledger, api, keys
from tests.bench.growth_site import growth_site
from tests.bench.growth_watch import Told, Watch

PROMISED_MS = 100.0
Say = Callable[[str], None]


def chosen(only: str | None) -> tuple[Mapping[str, Asked], Mapping[str, Asked]]:
    """Return the asks and the runs of jobs whose names contain a word."""
    asks, runs = (
        {
            name: each
            for name, each in known.items()
            if only is None or any(word in name for word in only.split(","))
        }
        for known in (ASKS, RUNS)
    )
    return asks, runs


async def asked(
    url: str, only: str | None, times: int, say: Say, *, minutes: float | None = None
) -> list[Told]:
    """Ask everything so many times, each time about something else, and every job once.

    Every ask has a connection of its own, warm: from the sixth time on the server may use a plan
    that fits all parameters alike. A job has so many minutes; none, and none is run.
    """
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    engine = open_engine(url)
    try:
        asks, jobs = chosen(only)
        return await _asked(engine, asks, jobs if minutes != 0 else {}, (times, minutes), say)
    finally:
        await engine.dispose()


async def _asked(
    engine: AsyncEngine,
    asks: Mapping[str, Asked],
    runs: Mapping[str, Asked],
    most: tuple[int, float | None],
    say: Say,
) -> list[Told]:
    times, minutes = most
    site, watch = growth_site(), Watch(engine)
    async with engine.connect() as ledger:
        about = [await keys(ledger, (n + 0.5) / times) for n in range(times)]
    http = api(engine, site)

    async def once(name: str, ask: Asked, of: Keys) -> None:
        async with engine.connect() as ledger:
            with watch.of(name):
                await ask(Ledger(engine, ledger, http, site, of))

    for name, ask in asks.items():
        begun = time.perf_counter()
        for of in about:
            await once(name, ask, of)
        say(_line(watch, name, (time.perf_counter() - begun) / times))
    for name, ask in runs.items():
        begun = time.perf_counter()
        with suppress(TimeoutError):  # what it asked until then counts
            async with asyncio.timeout(minutes and minutes * 60):
                await once(name, ask, about[0])
        say(_line(watch, name, time.perf_counter() - begun))
    await http.aclose()
    await watch.explain()
    return list(watch.told.values())


def _line(watch: Watch, name: str, seconds: float) -> str:
    """Say how long a thing took in all, and the slowest of its statements."""
    slowest = max((t.median for t in watch.told.values() if t.ask == name), default=0.0)
    return f"{seconds * 1000:9.1f} ms, slowest statement {slowest:7.1f} ms: {name}"


def merge(told: list[Told], cold: list[Told]) -> None:
    """Note how long each statement took while nothing of the server's files was in memory."""
    first = {(each.ask, each.text): max(each.ms) for each in cold}
    for each in told:
        each.cold_ms = first.get((each.ask, each.text))


def forget(folder: Path) -> None:
    """Let the machine forget what it has of a folder's files in memory (posix_fadvise)."""
    for path in folder.rglob("*"):
        if path.is_file():
            handle = os.open(path, os.O_RDONLY)
            os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(handle)


def show(told: list[Told], console: Console) -> int:
    """Print a row for each statement; return how many are too slow."""
    table = Table(
        "asked by", "statement", "times", "median ms", "worst ms", "cold ms", "answered by"
    )
    slow = 0
    for each in sorted(told, key=lambda one: -one.median):
        late = each.median > PROMISED_MS
        slow += late
        cold_ms = "" if each.cold_ms is None else f"{each.cold_ms:.1f}"
        times = f"{each.median:.1f}{' !' if late else ''}"
        table.add_row(
            each.ask, " ".join(each.text.split())[:60], str(len(each.ms)), times,
            f"{max(each.ms):.1f}", cold_ms, ", ".join(each.indexes),
        )  # fmt: skip
    console.print(table)
    return slow


def write(told: list[Told], to: Path) -> None:
    """Write everything that was found out, plans included."""
    to.parent.mkdir(exist_ok=True)
    rows = [
        {
            "ask": each.ask, "statement": each.text, "median_ms": each.median,
            "worst_ms": max(each.ms), "cold_ms": each.cold_ms, "times": len(each.ms),
            "indexes": each.indexes, "plan": each.plan,
        }
        for each in told
    ]  # fmt: skip
    to.write_bytes(orjson.dumps(rows, option=orjson.OPT_INDENT_2, default=str))
