"""Running reconciliation: find, record, heal what policy allows, close what is healed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from canonical.errors import Rejected
from hub.clock import Clock
from hub.ledger import audit, bulk, findings
from hub.ledger.tables import delivery, document
from hub.reconcile import facts, ship_not_invoiced
from hub.reconcile.discrepancy import Discrepancy
from hub.release.routing import Routed, pending
from hub.settings.model import Site

JOBS = (ship_not_invoiced.NAME,)
_WINDOW = timedelta(days=90)
"""How old the last shipment of an order may be when it is first looked at; a finding stays open."""
_MOST_REDRIVES = 3
_REDRIVE_ACTION = "invoice_shipment"


@dataclass(frozen=True, slots=True)
class Report:
    """What one run of a job did."""

    job: str
    found: int
    opened: int
    healing: int
    closed: int

    def as_dict(self) -> dict[str, Any]:
        """Return the figures."""
        return asdict(self)


class Reconciler:
    """Runs the jobs over one ledger; each run is one transaction."""

    def __init__(self, engine: AsyncEngine, site: Site, clock: Clock) -> None:
        self._engine = engine
        self._site = site
        self._clock = clock
        self._log = structlog.get_logger("hub.reconcile")

    async def run_all(self) -> list[Report]:
        """Run every job."""
        return [await self.run(job) for job in JOBS]

    async def run(self, job: str, *, heal: bool | None = None, actor: str = "crossdock") -> Report:
        """Run one job.

        Args:
            job: one of `JOBS`.
            heal: whether to re-drive; None: as the configuration says.
            actor: who asked for it.

        Raises:
            Rejected: ``job_unknown``.
        """
        if job not in JOBS:
            raise Rejected("job_unknown", job, f"known jobs: {', '.join(JOBS)}")
        healing = self._site.reconcile.heal if heal is None else heal
        now = self._clock.now()
        async with self._engine.begin() as ledger:
            await ledger.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtext(job))))
            discrepancies = await self._discrepancies(ledger, now)
            rows = [
                await findings.open_or_refresh(ledger, job, _seen(each), now)
                for each in discrepancies
            ]
            redriven = 0
            for each, row in zip(discrepancies, rows, strict=True):
                if healing and await self._redrive(ledger, each, row, actor):
                    redriven += 1
            closed = await findings.close_unseen(ledger, job, now)
        opened = sum(row["opened_at"] == now for row in rows)
        report = Report(job, len(rows), opened, redriven, closed)
        self._log.info("reconciled", job=job, count=len(rows), state=f"closed {closed}")
        return report

    async def _discrepancies(self, ledger: AsyncConnection, now: datetime) -> list[Discrepancy]:
        grace = timedelta(seconds=self._site.reconcile.ship_not_invoiced_after_seconds)
        job = ship_not_invoiced.NAME
        references = await facts.underbilled(ledger, job, now - _WINDOW, now - grace)
        return ship_not_invoiced.find(
            await facts.shipped(ledger, references),
            await facts.invoiced(ledger, references),
            await facts.ordered(ledger, references),
            now,
            grace,
        )

    async def _redrive(
        self, ledger: AsyncConnection, found: Discrepancy, row: sa.RowMapping, actor: str
    ) -> bool:
        """Post the invoice again at the targets of the shipment, unless that is under way."""
        if found.document_id is None or row["redrives"] >= _MOST_REDRIVES:
            return False
        now = self._clock.now()
        owed = await self._redeliveries(ledger, found.document_id, row["redrives"] + 1, now)
        if not owed:
            return False
        await bulk.insert(ledger, delivery, owed, conflict="ON CONFLICT DO NOTHING")
        await findings.mark_healing(ledger, row["id"])
        entry = audit.Entry(
            actor, "finding.redrive", row["id"], found.cause, None, {"deliveries": len(owed)}
        )
        await audit.append(ledger, entry, now)
        return True

    async def _redeliveries(
        self, ledger: AsyncConnection, document_id: str, number: int, now: datetime
    ) -> list[dict[str, Any]]:
        earlier = await ledger.execute(
            sa.select(delivery).where(delivery.c.document_id == document_id)
        )
        rows = list(earlier.mappings())
        redrives = [row for row in rows if row["action"] == _REDRIVE_ACTION]
        if any(row["state"] not in ("delivered", "dead", "cancelled") for row in redrives):
            return []
        result = await ledger.execute(sa.select(document).where(document.c.id == document_id))
        shipment = result.mappings().one()
        routed = Routed(
            document_id=document_id,
            entity=shipment["entity"],
            connection=shipment["connection"],
            partner=shipment["partner"],
            business_key=shipment["business_key"],
            version=shipment["version"] or 1,
            reference=shipment["reference"],
            trace_id=shipment["trace_id"],
        )
        return [
            pending(routed, (row["target"], _REDRIVE_ACTION, row["flow"]), now, f"redrive-{number}")
            for row in rows
            if row["action"] == "post_shipment" and row["state"] == "delivered"
        ]


def _seen(found: Discrepancy) -> findings.Seen:
    return findings.Seen(
        found.subject,
        found.since,
        found.cause,
        found.remedy,
        found.amount,
        found.currency,
        found.details,
    )
