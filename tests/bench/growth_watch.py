"""Which statements the code runs, how long each takes, and which indexes answer it."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

_NOT_ASKED = ("SET ", "BEGIN", "ROLLBACK", "COMMIT", "SAVEPOINT", "EXPLAIN", ";")


@dataclass(slots=True)
class Told:
    """One statement of one thing that is asked."""

    ask: str
    text: str
    parameters: Any
    """Of its slowest time."""
    ms: list[float] = field(default_factory=list)
    cold_ms: float | None = None
    """Once, after the server was started and nothing of its files was in memory."""
    indexes: list[str] = field(default_factory=list)
    """And tables that are read whole."""
    plan: Any = None

    @property
    def median(self) -> float:
        """Of all times but cold ones, in milliseconds."""
        return statistics.median(self.ms)


class Watch:
    """Listens to what an engine runs."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.told: dict[tuple[str, str], Told] = {}
        self._engine = engine
        self._ask = ""
        self._begun = 0.0
        sa.event.listen(engine.sync_engine, "before_cursor_execute", self._before)
        sa.event.listen(engine.sync_engine, "after_cursor_execute", self._after)

    @contextmanager
    def of(self, ask: str) -> Iterator[None]:
        """Take down what is run in this block as that of `ask`."""
        self._ask = ask
        yield
        self._ask = ""

    def _before(self, *_: Any) -> None:
        self._begun = time.perf_counter()

    def _after(self, *given: Any) -> None:
        ms = (time.perf_counter() - self._begun) * 1000
        text, parameters = str(given[2]).strip(), given[3]
        if not self._ask or text.startswith(_NOT_ASKED) or "pg_advisory" in text:
            return
        known = self.told.setdefault((self._ask, text), Told(self._ask, text, parameters))
        if ms > max(known.ms, default=0.0):
            known.parameters = parameters
        known.ms.append(ms)

    async def explain(self) -> None:
        """Ask the server how it goes about the slowest time of each statement."""
        async with self._engine.connect() as ledger:
            for told in self.told.values():
                query = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {told.text}"
                try:
                    found = await ledger.exec_driver_sql(query, told.parameters)
                    answer = found.scalar_one()
                except sa.exc.DBAPIError as error:
                    answer = [{"Plan": {"Node Type": type(error.orig).__name__}}]
                told.plan = orjson.loads(answer) if isinstance(answer, str) else answer
                told.indexes = sorted(set(_read(told.plan[0]["Plan"])))
                await ledger.rollback()


def _read(node: dict[str, Any]) -> Iterator[str]:
    if node.get("Actual Loops", 1) == 0:
        return
    if "Index Name" in node:
        yield node["Index Name"]
    elif node["Node Type"] == "Seq Scan":
        yield f"whole {node['Relation Name']}"
    for below in node.get("Plans", ()):
        yield from _read(below)
