"""What people, programs and jobs ask a ledger: each by the code that a command or a route runs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from hub.api.access import Access
from hub.api.app import http_app
from hub.api.dead_letters import DeadLettersApi
from hub.api.dead_letters import Desk as LettersDesk
from hub.api.documents import DocumentsApi
from hub.api.findings import FindingsApi
from hub.dead_letters import export, jobs, letters
from hub.dead_letters.filters import Filters, State
from hub.jobs import Housekeeping
from hub.ledger import (
    account,
    findings,
    holds,
    interchanges,
    reconcile_runs,
    sent,
    threads,
    under_way,
)
from hub.ledger.tables import dead_letter, finding, hold, replay_job
from hub.reconcile import delivery_facts, ship_not_invoiced, totals
from hub.reconcile.interchange_facts import counted
from hub.reconcile.ledger_jobs import LEDGER_JOBS
from hub.reconcile.runner import JOBS, Reconciler
from hub.reconcile.trace import lines
from hub.release import held
from hub.settings.model import Site
from hub.telemetry.metrics import Metrics
from tests.bench.rows import NOW

Row = dict[str, Any]
Asked = Callable[["Ledger"], Awaitable[object]]
_TOKEN = "a-token-of-the-bench"  # noqa: S105


class Still:
    """A clock that stands at the moment at which the ledger was written."""

    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return 0.0


@dataclass(frozen=True, slots=True)
class Keys:
    """What is asked about: another purchase, letter, hold and finding at each run."""

    n: int
    reference: str
    document: str
    external: str
    letter: str
    old_letter: str
    hold: str
    finding: str
    job: str


@dataclass(frozen=True, slots=True)
class Ledger:
    """What an ask works with."""

    engine: AsyncEngine
    connection: AsyncConnection
    http: httpx.AsyncClient
    site: Site
    keys: Keys

    async def get(self, path: str) -> object:
        """Ask a route of the API."""
        answer = await self.http.get(path, headers={"authorization": f"Bearer {_TOKEN}"})
        answer.raise_for_status()
        return answer.json()


def api(engine: AsyncEngine, site: Site) -> httpx.AsyncClient:
    """Return a client of the real routes on this ledger."""
    access, clock = Access({"bench": _TOKEN}, {"bench": "operator"}), Still()
    # What reads the ledger needs neither archive nor workers.
    desk = LettersDesk(site, engine, None, clock, None)  # type: ignore[arg-type]
    routers = [
        DocumentsApi(site, engine, access).routes(),
        FindingsApi(engine, clock, access).routes(),
        DeadLettersApi(desk, access).routes(),
    ]
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(http_app(routers)), base_url="http://hub/v1/", timeout=600
    )


async def keys(connection: AsyncConnection, share: float) -> Keys:
    """Return what to ask about: so far into the rows of each table."""

    async def at(column: sa.Column[Any], *conditions: sa.ColumnElement[bool]) -> str:
        query = sa.select(column).where(*conditions)
        count = await connection.scalar(sa.select(sa.func.count()).select_from(query.subquery()))
        row = query.order_by(column).offset(int((count or 0) * share)).limit(1)
        return str(await connection.scalar(row))

    heads = sa.text("SELECT reltuples::bigint FROM pg_class WHERE relname = 'document'")
    n = int(float(await connection.scalar(heads) or 0) / 8 * (0.03 + 0.9 * share))
    one = sa.text("SELECT id, reference FROM document WHERE number = :number AND entity = 'order'")
    row = (await connection.execute(one, {"number": f"PO-{n:09}"})).first()
    while row is None:  # that one could not be read
        n += 1
        row = (await connection.execute(one, {"number": f"PO-{n:09}"})).first()
    external = sa.text("SELECT external_id FROM delivery WHERE document_id = :id")
    return Keys(
        n,
        row.reference,
        row.id,
        str(await connection.scalar(external, {"id": row.id})),
        await at(dead_letter.c.id, dead_letter.c.state == "open"),
        await at(dead_letter.c.id, dead_letter.c.state == "replayed"),
        await at(hold.c.id, hold.c.state == "open"),
        await at(finding.c.id),
        await at(replay_job.c.id),
    )


def _trace(key: Callable[[Keys], str]) -> Asked:
    async def ask(at: Ledger) -> None:
        found = await threads.find(at.connection, key(at.keys))
        if found is not None:
            await lines(at.connection, at.site, found.references)

    return ask


def _listed(filters: Callable[[Keys], Filters]) -> Asked:
    return lambda at: letters.listing(at.connection, filters(at.keys))


async def _groups(at: Ledger) -> None:
    found = await letters.groups(at.connection, Filters())
    await letters.with_changes(at.connection, found)


async def _show(at: Ledger, name: str) -> None:
    letter = await letters.show(at.connection, name)
    await letters.waiting(at.connection, letter)


async def _hold(at: Ledger, name: str) -> None:
    await held.view(at.connection, dict(await holds.find(at.connection, name)))


async def _hold_by_number(at: Ledger) -> None:
    found = await holds.find(at.connection, at.keys.hold)
    await _hold(at, found["number"])


async def _exported(at: Ledger) -> None:
    async for _ in export.export(at.connection, Filters(limit=1000), export.Form.CSV):
        pass


async def _acks(at: Ledger, days: int) -> None:
    asked = {
        name: sent.Asked(how.scope, delivery_facts.acknowledging(at.site)[name])
        for name, how in counted(at.site).items()
    }
    await sent.sent(at.connection, asked, NOW, NOW - timedelta(days=days))


async def _gaps(at: Ledger) -> None:
    for scope, after in counted(at.site).values():
        if after is not None:
            span = interchanges.Span(NOW - timedelta(days=30), NOW - after)
            await interchanges.gaps(at.connection, scope, span)


async def _job(at: Ledger) -> None:
    found = await jobs.find(at.connection, at.keys.job[:8])
    await jobs.items(at.connection, found, None, 1000)
    await jobs.arrived(at.connection, await jobs.status(at.connection, found))


async def _deliveries(at: Ledger, *, waiting: bool) -> None:
    states = ("pending", "in_flight", "in_doubt")
    chosen = under_way.Chosen(states, list(at.site.connections), waiting)
    await under_way.listing(at.connection, chosen)


async def _gauges(at: Ledger) -> None:
    await Housekeeping(None, at.engine, Metrics()).count_open()  # type: ignore[arg-type]


ASKS: Mapping[str, Asked] = {
    "trace PO": _trace(lambda keys: f"PO-{keys.n:09}"),
    "trace our reference": _trace(lambda keys: keys.reference),
    "trace invoice": _trace(lambda keys: f"INV{keys.n}"),
    "trace shipment": _trace(lambda keys: f"LS{keys.n}"),
    "trace tracking number": _trace(lambda keys: f"1Z{keys.n:016}"),
    "trace SSCC": _trace(lambda keys: f"0061414{keys.n:011}"),
    "trace document id": _trace(lambda keys: keys.document),
    "trace target's id": _trace(lambda keys: keys.external),
    "trace target's number": _trace(lambda keys: f"S-ORD{keys.n}"),
    "trace nobody": _trace(lambda _: "nobody"),
    "/v1/documents": lambda at: at.get("documents"),
    "/v1/documents?limit=1000": lambda at: at.get("documents?limit=1000"),
    "/v1/documents?entity=order": lambda at: at.get("documents?entity=order"),
    "/v1/documents?entity=load_tender": lambda at: at.get("documents?entity=load_tender"),
    "/v1/documents?state=rejected": lambda at: at.get("documents?state=rejected"),
    "/v1/documents?entity=order&state=dead": lambda at: at.get("documents?entity=order&state=dead"),
    "/v1/documents/{id}": lambda at: at.get(f"documents/{at.keys.document}"),
    "/v1/threads/{key}": lambda at: at.get(f"threads/PO-{at.keys.n:09}"),
    "/v1/holds": lambda at: at.get("holds?limit=1000"),
    "documents: what waits": lambda at: under_way.waiting(at.connection, [at.keys.document]),
    "deliveries": lambda at: _deliveries(at, waiting=False),
    "deliveries --waiting": lambda at: _deliveries(at, waiting=True),
    "hold ls": lambda at: holds.listing(at.connection),
    "hold ls --state released": lambda at: holds.listing(at.connection, state="released"),
    "hold show ID": lambda at: _hold(at, at.keys.hold[:8]),
    "hold show NUMBER": _hold_by_number,
    "dlq stats": _groups,
    "dlq list": _listed(lambda _: Filters(limit=101)),
    "dlq list --state all": _listed(lambda _: Filters(limit=101, state=State.ALL)),
    "dlq list --state archived": _listed(lambda _: Filters(limit=101, state=State.ARCHIVED)),
    "dlq list --partner": _listed(lambda _: Filters(limit=101, partner="customer30")),
    "dlq list --error, none such": _listed(lambda _: Filters(limit=101, error="nothing")),
    "dlq list --state all --error, none such": _listed(
        lambda _: Filters(limit=101, error="nothing", state=State.ALL)
    ),
    "dlq list --key NUMBER": _listed(lambda keys: Filters(limit=101, key=f"PO-{keys.n:09}")),
    "dlq list --key NUMBER --state all": _listed(
        lambda keys: Filters(limit=101, key=f"PO-{keys.n:09}", state=State.ALL)
    ),
    "dlq list --group": _listed(lambda _: Filters(limit=101, group="0123456789")),
    "dlq list --since": _listed(
        lambda _: Filters(limit=101, since=NOW - timedelta(days=1), state=State.ALL)
    ),
    "dlq show": lambda at: _show(at, at.keys.letter[:8]),
    "dlq show, replayed": lambda at: _show(at, at.keys.old_letter),
    "dlq export --limit 1000": _exported,
    "replay jobs": lambda at: jobs.listing(at.connection, 100),
    "replay job": _job,
    "/v1/dead-letters": lambda at: at.get("dead-letters"),
    "/v1/dead-letters/groups": lambda at: at.get("dead-letters/groups"),
    "/v1/dead-letters/{id}": lambda at: at.get(f"dead-letters/{at.keys.letter}"),
    "/v1/dead-letters/replays": lambda at: at.get("dead-letters/replays"),
    "reconcile report": lambda at: findings.listing(at.connection, state="open"),
    "reconcile report --job": lambda at: findings.listing(
        at.connection, state="open", job="price-drift"
    ),
    "reconcile report --state all --limit": lambda at: findings.listing(at.connection, limit=1000),
    "/v1/findings": lambda at: at.get("findings?state=open"),
    "/v1/findings?partner=": lambda at: at.get("findings?partner=customer30"),
    "/v1/findings/summary": lambda at: at.get("findings/summary"),
    "/v1/findings/summary?state=open": lambda at: at.get("findings/summary?state=open"),
    "/v1/findings/{id}": lambda at: at.get(f"findings/{at.keys.finding}"),
    "reconcile jobs": lambda at: reconcile_runs.newest(at.connection, JOBS),
    "gauges": _gauges,
    "account of a week": lambda at: account.balances(at.connection, NOW - timedelta(days=7)),
}
"""Command or route -> what it asks."""


def _swept(job: str) -> Asked:
    return lambda at: Reconciler(at.engine, at.site, Still()).run(job, heal=False, sweep=True)


def _news(at: Ledger) -> Awaitable[object]:
    return Reconciler(at.engine, at.site, Still()).run_all(heal=False)


RUNS: Mapping[str, Asked] = {
    "edi acks": lambda at: _acks(at, 30),
    "edi gaps": _gaps,
    "reconcile totals": lambda at: totals.compared(at.connection),
    "account": lambda at: account.balances(at.connection),
    # The jobs that go order by order share one reading: one of them stands for all.
    **{
        f"reconcile run {job} --sweep": _swept(job)
        for job in (ship_not_invoiced.NAME, *LEDGER_JOBS)
    },
    "reconcile run": _news,
}
"""What reads many rows, and is asked once: jobs over the whole window and over the news page."""
