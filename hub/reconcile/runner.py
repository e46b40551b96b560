"""Running reconciliation: find, record, heal what policy allows, close what is healed.

A run looks at what is new since the last one, what a clock ran out for since, and what is open; once a day, or when it
is told to, at the whole window (a sweep). A job that stops half way keeps what was open and begins
again where the last finished run began.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from canonical.errors import Rejected
from hub.clock import Clock
from hub.ledger import findings, reconcile_runs
from hub.reconcile import order_jobs
from hub.reconcile.context import Context, Looked
from hub.reconcile.discrepancy import Discrepancy
from hub.reconcile.facts import ItemBook
from hub.reconcile.healing import Healer
from hub.reconcile.ledger_jobs import LEDGER_JOBS
from hub.reconcile.order_jobs import ORDER_JOBS
from hub.reconcile.policy import policy_of
from hub.settings.model import Site

JOBS = (*ORDER_JOBS, *LEDGER_JOBS)
_OVERLAP = timedelta(minutes=10)
"""A transaction may commit later than the moment that it wrote down."""
_STATEMENT_TIMEOUT = "SET LOCAL statement_timeout = '10min'"


@dataclass(frozen=True, slots=True)
class Report:
    """What one run of a job did."""

    job: str
    looked_at: int
    unchecked: int
    """Not comparable: a unit without a factor."""
    found: int
    opened: int
    healing: int
    closed: int
    seconds: float
    sweep: bool

    def as_dict(self) -> dict[str, Any]:
        """Return the figures."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Asked:
    """How a run is to be done."""

    heal: bool
    actor: str
    sweep: bool
    now: datetime


class Reconciler:
    """Runs the jobs over one ledger; among replicas one at a time, each run one transaction."""

    def __init__(self, engine: AsyncEngine, site: Site, clock: Clock) -> None:
        self._engine = engine
        self._site = site
        self._clock = clock
        self._policy = policy_of(site.reconcile)
        self._log = structlog.get_logger("hub.reconcile")

    async def run_all(
        self, *, heal: bool | None = None, actor: str = "crossdock", sweep: bool = False
    ) -> list[Report]:
        """Run every job; those that go order by order share one reading."""
        asked = self._asked(heal, actor, sweep=sweep)
        reports = await self._group(tuple(ORDER_JOBS), asked)
        for job in LEDGER_JOBS:
            reports += await self._group((job,), asked)
        return reports

    async def run(
        self,
        job: str,
        *,
        heal: bool | None = None,
        actor: str = "crossdock",
        sweep: bool = False,
    ) -> Report:
        """Run one job.

        Args:
            job: one of `JOBS`.
            heal: whether to re-drive; None: as the configuration says.
            actor: who asked for it.
            sweep: look at the whole window.

        Raises:
            Rejected: ``job_unknown``.
        """
        if job not in JOBS:
            raise Rejected("job_unknown", job, f"known jobs: {', '.join(JOBS)}")
        (report,) = await self._group((job,), self._asked(heal, actor, sweep=sweep))
        return report

    def _asked(self, heal: bool | None, actor: str, *, sweep: bool) -> Asked:  # noqa: FBT001
        healing = self._site.reconcile.heal if heal is None else heal
        return Asked(healing, actor, sweep, self._clock.now())

    async def _group(self, jobs: Sequence[str], asked: Asked) -> list[Report]:
        """Run jobs that share their reading, in one transaction."""
        began = self._clock.monotonic()
        async with self._engine.begin() as ledger:
            await ledger.exec_driver_sql(_STATEMENT_TIMEOUT)
            await _take_turn(ledger, jobs)
            since, sweep = await self._since(ledger, jobs, asked)
            items = ItemBook(self._site)
            context = Context(ledger, self._site, self._policy, items, since, asked.now)
            looked = await _look(context, jobs)
            reports = []
            for job in jobs:
                counts = await self._record(ledger, job, looked[job], asked)
                seconds = round(self._clock.monotonic() - began, 3)
                reports.append(Report(job, **counts, seconds=seconds, sweep=sweep))
                run = reports[-1].as_dict() | {"started_at": asked.now, "since": since}
                await reconcile_runs.finished(ledger, run)
            await reconcile_runs.forget(ledger, jobs, asked.now - self._window())
        for report in reports:
            state = f"closed {report.closed}"
            self._log.info("reconciled", job=report.job, count=report.found, state=state)
        return reports

    async def _since(
        self, ledger: AsyncConnection, jobs: Sequence[str], asked: Asked
    ) -> tuple[datetime, bool]:
        """Return from when on to look, and whether that is the whole window."""
        last = await reconcile_runs.last(ledger, jobs, sweep=False)
        swept = await reconcile_runs.last(ledger, jobs, sweep=True)
        every = timedelta(seconds=self._site.reconcile.sweep_every_seconds)
        fresh = len(swept) == len(jobs) and asked.now - min(swept.values()) < every
        if asked.sweep or not fresh or min(last.values()) > asked.now:
            return asked.now - self._window(), True
        return min(last.values()) - _OVERLAP, False

    def _window(self) -> timedelta:
        return timedelta(days=self._site.reconcile.window_days)

    async def _record(
        self, ledger: AsyncConnection, job: str, looked: Looked, asked: Asked
    ) -> dict[str, int]:
        """Write what was found; return the figures of the report."""
        owner = self._site.reconcile.owners.get(job, _owner(job))
        rows = await findings.record(
            ledger, job, [_seen(each, owner) for each in looked.found], asked.now
        )
        healing = 0
        if asked.heal:
            healer = Healer(ledger, self._site, asked.now, asked.actor)
            for each in looked.found:
                healing += await healer.heal(job, each, rows[each.subject])
        return {
            "looked_at": looked.looked_at,
            "unchecked": looked.unchecked,
            "found": len(rows),
            "opened": sum(row.opened_at == asked.now for row in rows.values()),
            "healing": healing,
            "closed": await findings.close_unseen(ledger, job, asked.now),
        }


async def _take_turn(ledger: AsyncConnection, jobs: Sequence[str]) -> None:
    """Wait until nobody else runs one of these jobs; taken in sorted order, so no two block."""
    for job in sorted(jobs):
        await ledger.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtext(job))))


async def _look(context: Context, jobs: Sequence[str]) -> Mapping[str, Looked]:
    if jobs[0] in ORDER_JOBS:
        return await order_jobs.look(context, jobs)
    return {job: await LEDGER_JOBS[job][0](context) for job in jobs}


def _owner(job: str) -> str:
    return ORDER_JOBS[job][1] if job in ORDER_JOBS else LEDGER_JOBS[job][1]


def _seen(found: Discrepancy, owner: str) -> findings.Seen:
    return findings.Seen(
        found.subject,
        found.since,
        found.cause,
        found.remedy,
        found.amount,
        found.currency,
        found.details,
        found.partner,
        found.reference,
        owner,
    )
