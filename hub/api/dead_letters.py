"""`/v1/dead-letters`: what the commands of `crossdock dlq` do, for programs, with the same roles.

Codes: ``nothing_matched`` (404), and those of `hub.dead_letters`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from sqlalchemy.ext.asyncio import AsyncEngine

from canonical.errors import Rejected
from hub.api.access import Access, Caller, Who
from hub.api.capped import CappedRoute
from hub.api.dead_letter_forms import Action, Approval, Chosen, Edit, Exported, Reason, ReplayForm
from hub.api.refusals import REFUSALS
from hub.archive import Archive
from hub.clock import Clock
from hub.dead_letters import acting, editing, export, jobs, letters
from hub.dead_letters.acting import Verb
from hub.dead_letters.ask import Targets, site_targets
from hub.dead_letters.filters import Filters, State
from hub.dead_letters.jobs import Threshold, Wish
from hub.dead_letters.payload import payload
from hub.dead_letters.plan import Planner
from hub.delivery.carriers import Books
from hub.release.holds import Act
from hub.render import WorkerRenderer
from hub.settings.model import Role, Site
from hub.settings.roles import may
from hub.workers.pool import WorkerPool

_MOST_PLANNED = 20
"""Planning asks targets and uses the workers of live traffic."""

_POST: dict[str, Any] = {"methods": ["POST"]}
Filtered = Annotated[Chosen, Query()]
Limit = Annotated[int, Query(ge=1, le=1000)]
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Desk:
    """What the API works with."""

    site: Site
    engine: AsyncEngine
    archive: Archive
    clock: Clock
    workers: WorkerPool


class DeadLettersApi:
    """Reads and acts on dead letters; an act names the caller and its reason."""

    def __init__(self, desk: Desk, access: Access) -> None:
        self._desk = desk
        self._access = access

    def routes(self) -> APIRouter:
        """Return the FastAPI routes; paths with fixed words before those with ids."""
        router = APIRouter(
            prefix="/v1/dead-letters",
            tags=["dead letters"],
            route_class=CappedRoute,
            responses=REFUSALS,
        )
        self._add_reading(router)
        self._add_jobs(router)
        self._add_acts(router)
        add, operator = router.add_api_route, self._needs("operator")
        add("/{letter_id}", self.show, summary="Everything known of one", **self._needs("viewer"))
        fixes = operator | _POST
        add("/{letter_id}/edit", self.edit, summary="Correct its document", **fixes)
        add("/{letter_id}/payload", self.payload, summary="Its bytes: personal data", **operator)
        return router

    def _needs(self, role: Role) -> dict[str, Any]:
        return {"dependencies": [self._access.required(role)]}

    def _add_reading(self, router: APIRouter) -> None:
        viewer, operator, add = self._needs("viewer"), self._needs("operator"), router.add_api_route
        add("", self.listing, summary="List letters, the oldest first", **viewer)
        add("/groups", self.groups, summary="Count letters by cause", **viewer)
        add("/plan", self.plan, summary="What a replay would meet; no effect", **operator)
        add("/export", self.export, summary="Letters as JSON lines or CSV", **operator)

    def _add_jobs(self, router: APIRouter) -> None:
        viewer, operator = self._needs("viewer"), self._needs("operator") | _POST
        approver, add, one = (
            self._needs("approver") | _POST,
            router.add_api_route,
            "/replays/{job_id}",
        )
        add("/replays", self.jobs, summary="List replay jobs, the newest first", **viewer)
        add(
            "/replays", self.replay, summary="Replay letters, as a job", status_code=202, **operator
        )
        add(one, self.job, summary="One job with its letters", **viewer)
        add(f"{one}/cancel", self.cancel, summary="End a job", **operator)
        add(f"{one}/approve", self.approve, summary="Say yes to a job, or no", **approver)

    def _add_acts(self, router: APIRouter) -> None:
        operator, admin = self._needs("operator") | _POST, self._needs("admin") | _POST
        add = router.add_api_route
        add("/archive", self.archive, summary="Give letters up; nothing is deleted", **operator)
        add("/restore", self.restore, summary="Open archived letters again", **operator)
        approver, path = self._needs("approver") | _POST, "/edits/{edit_id}/approve"
        add(path, self.approve_edit, summary="Say yes to a correction, or no", **approver)
        add("/purge", self.purge, summary="Delete archived letters past retention", **admin)

    def _act(self, caller: Caller, form: Reason) -> Act:
        return Act(caller.name, form.why(), self._desk.clock.now())

    async def listing(self, chosen: Filtered) -> list[Row]:
        """List letters: open ones and those that are replaying, unless `state` says otherwise."""
        async with self._desk.engine.connect() as ledger:
            rows = await letters.listing(ledger, chosen.filters(self._desk.clock.now()))
        return [_plain(row) for row in rows]

    async def groups(self, chosen: Filtered) -> list[Row]:
        """Count letters by cause, the largest group first."""
        async with self._desk.engine.connect() as ledger:
            found = await letters.groups(ledger, chosen.filters(self._desk.clock.now()))
            return await letters.with_changes(ledger, found)

    async def show(self, letter_id: str) -> Row:
        """Return a letter with its history, what is related, what waits for it, who did what."""
        async with self._desk.engine.connect() as ledger:
            letter = await letters.show(ledger, letter_id)
            return _plain(letter) | {"waiting": await letters.waiting(ledger, letter)}

    async def payload(self, letter_id: str) -> Row:
        """Return what was last sent, or what was received where nothing was; at most 1 MB of it."""
        async with self._desk.engine.connect() as ledger:
            letter = await letters.show(ledger, letter_id)
        return (await payload(self._desk.archive, letter)).as_json()

    @asynccontextmanager
    async def _planner(self) -> AsyncIterator[Planner]:
        desk = self._desk
        targets = Targets(site_targets(desk.site, Books(desk.engine, desk.clock)))
        renderer = WorkerRenderer(desk.workers, desk.site.control_points, desk.engine)
        try:
            yield Planner(desk.engine, desk.archive, targets, renderer, desk.workers, desk.clock)
        finally:
            await targets.close()

    async def plan(self, chosen: Filtered) -> list[Row]:
        """Ask the target and try the mapping, for the 20 oldest letters that are chosen."""
        most = min(chosen.limit, _MOST_PLANNED)
        filters = chosen.filters(self._desk.clock.now(), limit=most)
        async with self._desk.engine.connect() as ledger:
            rows = await letters.listing(ledger, filters, (State.OPEN,))
        async with self._planner() as plans:
            return [(await plans.plan(row)).row() for row in rows]

    async def edit(self, letter_id: str, form: Edit, caller: Who) -> Row:
        """Correct a document by a JSON Patch or as text; off unless the site lets the role."""
        self._check_editor(caller)
        act = self._act(caller, form)
        async with self._desk.engine.connect() as ledger:
            (letter,) = await letters.listing(ledger, Filters(ids=(letter_id,)))
        async with self._planner() as plans:
            before = await editing.original(plans, letter)
            edited = form.applied(before.body)
            if not form.dry_run:
                return await editing.edit(plans, letter, (before, edited), act, self._threshold())
            return await editing.would_edit(plans, letter, (before, edited))

    async def approve_edit(self, edit_id: str, form: Approval, caller: Who) -> Row:
        """Let a correction count that somebody else made, or refuse it."""
        self._check_editor(caller)
        act = self._act(caller, form)
        async with self._planner() as plans:
            return await editing.approve(plans, edit_id, act, yes=not form.refuse)

    def _check_editor(self, caller: Caller) -> None:
        roles = self._desk.site.dead_letters.edit_roles
        if not any(may(caller.role, role) for role in roles):
            raise Rejected("edit_off", "dead_letters.edit_roles", "the site does not let this role")

    def _threshold(self) -> Threshold:
        given = self._desk.site.dead_letters
        return Threshold(given.approve_above_letters, given.approve_above_value)

    async def export(self, chosen: Annotated[Exported, Query()]) -> StreamingResponse:
        """Write at most `limit` letters, never a document's content; formula cells are made text."""
        filters = chosen.filters(self._desk.clock.now())

        async def text() -> AsyncIterator[str]:
            async with self._desk.engine.connect() as ledger:
                async for line in export.export(ledger, filters, chosen.format):
                    yield line

        kind = "text/csv" if chosen.format is export.Form.CSV else "application/x-ndjson"
        return StreamingResponse(text(), media_type=kind)

    async def jobs(self, limit: Limit = 100) -> list[Row]:
        """List replay jobs with how many letters have which outcome."""
        async with self._desk.engine.connect() as ledger:
            return await jobs.listing(ledger, limit)

    async def job(self, job_id: str, outcome: str | None = None, limit: Limit = 1000) -> Row:
        """Return one job with the outcome of each letter."""
        async with self._desk.engine.connect() as ledger:
            found = await jobs.find(ledger, job_id)
            items = await jobs.items(ledger, found, outcome, limit)
            job = await jobs.status(ledger, found)
            return job | {"items": items, "arrived": await jobs.arrived(ledger, job)}

    async def cancel(self, job_id: str, form: Reason, caller: Who) -> Row:
        """End a job: nothing more of it begins; what is not on its way is open again."""
        async with self._desk.engine.begin() as ledger:
            found = await jobs.find(ledger, job_id)
            return await jobs.cancel(ledger, found, self._act(caller, form))

    async def approve(self, job_id: str, form: Approval, caller: Who) -> Row:
        """Let a job go that somebody else asked for, or refuse it."""
        async with self._desk.engine.begin() as ledger:
            found = await jobs.find(ledger, job_id)
            act = self._act(caller, form)
            return await jobs.approve(ledger, found, act, yes=not form.refuse)

    async def archive(self, form: Action, caller: Who) -> list[Row]:
        """Give letters up; what waited behind them goes on."""
        return await self._each(acting.ARCHIVE, form, caller)

    async def restore(self, form: Action, caller: Who) -> list[Row]:
        """Open archived letters again, unless a later version has gone to the target since."""
        return await self._each(acting.RESTORE, form, caller)

    async def purge(self, form: Action, caller: Who) -> list[Row]:
        """Delete archived letters whose retention is over; the audit trail keeps what they were."""
        days = self._desk.site.dead_letters.retention_days
        return await self._each(acting.purging(days), form, caller)

    async def replay(self, form: ReplayForm, caller: Who) -> Row:
        """Write a job that the hub works off; a dry run says what it would hold."""
        given = self._desk.site.dead_letters
        act = self._act(caller, form)
        filters = form.chosen(act.at)
        wish = Wish(
            replace(filters, limit=form.limit),
            form.rate or given.replay_per_second,
            form.canary,
            form.max,
            form.map_version,
        )
        async with self._desk.engine.connect() as ledger, ledger.begin() as transaction:
            job = await jobs.ask(ledger, wish, act, self._threshold())
            if form.dry_run:
                await transaction.rollback()
        return job

    async def _each(self, verb: Verb, form: Action, caller: Caller) -> list[Row]:
        act = self._act(caller, form)
        filters = form.chosen(act.at)
        async with self._desk.engine.connect() as ledger:
            rows: Sequence[Mapping[str, Any]] = await letters.listing(
                ledger, filters, (verb.usual,)
            )
        if not rows:
            raise Rejected("nothing_matched", "filters", "no dead letter matches")
        ids = [row["id"] for row in rows]
        found = await acting.each(self._desk.engine, verb, ids, act, dry_run=form.dry_run)
        return [each.row() for each in found]


def _plain(row: Row) -> Row:
    """Return a row with its amount as text, as all decimals are sent."""
    return row if row["amount"] is None else row | {"amount": letters.plain(row["amount"])}
