"""`/v1/findings`: what reconciliation found, for programs; the acts of `crossdock reconcile`.

Codes: those of `hub.reconcile.handling`; a closed or unknown finding is a 404.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import AfterValidator, Field
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.api.access import Access, Caller, Who
from hub.api.capped import CappedRoute
from hub.api.dead_letter_forms import Form, Reason, Text
from hub.api.refusals import REFUSALS
from hub.api.words import word_of
from hub.clock import Clock
from hub.ledger import findings
from hub.reconcile import handling, totals
from hub.reconcile.report import ENDS, add_up, aged, as_json
from hub.reconcile.runner import JOBS
from hub.release.holds import Act
from hub.settings.model import Role

Row = dict[str, Any]


class Wanted(Form):
    """Which findings; everything that is given must fit."""

    job: Annotated[Text, AfterValidator(word_of(JOBS))] | None = None
    state: Literal["open", "healing", "accepted", "closed", "all"] = "open"
    """As `crossdock reconcile report`: what is for a person, unless something else is asked for."""
    partner: Text | None = None
    owner: Text | None = None

    def columns(self) -> dict[str, str | None]:
        """Return what each column must be."""
        state = None if self.state == "all" else self.state
        return {"job": self.job, "state": state, "partner": self.partner, "owner": self.owner}


class Listed(Wanted):
    """Which findings are listed."""

    limit: int = Field(100, ge=1, le=1000)


class Assignment(Reason):
    """Whose a finding is from now on, and why."""

    owner: Text


class FindingsApi:
    """Reads findings; gives them to somebody or lets them be, in the name of the caller."""

    def __init__(self, engine: AsyncEngine, clock: Clock, access: Access) -> None:
        self._engine = engine
        self._clock = clock
        self._access = access

    def routes(self) -> APIRouter:
        """Return the FastAPI routes; paths with fixed words before those with ids."""
        router = APIRouter(
            prefix="/v1/findings", tags=["findings"], route_class=CappedRoute, responses=REFUSALS
        )
        add, viewer = router.add_api_route, self._needs("viewer")
        operator = self._needs("operator") | {"methods": ["POST"]}
        add("", self.listing, summary="List findings, the oldest first", **viewer)
        add("/summary", self.summary, summary="Money by age, partner, job, cause, owner", **viewer)
        add("/totals", self.totals, summary="Counts and hashes: ledger and targets", **viewer)
        add("/{finding_id}", self.show, summary="One finding", **viewer)
        add("/{finding_id}/assign", self.assign, summary="Give it to somebody", **operator)
        add("/{finding_id}/accept", self.accept, summary="Let it stay as it is", **operator)
        return router

    def _needs(self, role: Role) -> dict[str, Any]:
        return {"dependencies": [self._access.required(role)]}

    async def listing(self, wanted: Annotated[Listed, Query()]) -> list[Row]:
        """List findings with their age, the oldest first."""
        return [_row(row) for row in await self._found(wanted, wanted.limit)]

    async def summary(self, wanted: Annotated[Wanted, Query()]) -> Row:
        """Add findings up; money per currency."""
        async with self._engine.connect() as ledger:
            rows = await findings.grouped(ledger, ENDS, self._clock.now(), **wanted.columns())
        return _row(as_json(add_up([dict(row) for row in rows])))

    async def totals(self) -> list[Row]:
        """Return for each list of a target: how many things each side has, and a hash of them."""
        async with self._engine.connect() as ledger:
            return [each.as_dict() for each in await totals.compared(ledger)]

    async def show(self, finding_id: Text) -> Row:
        """Return one finding, open or closed."""
        async with self._engine.connect() as ledger:
            row = aged(dict(await findings.one(ledger, finding_id)), self._clock.now())
        return _row(row)

    async def assign(self, finding_id: Text, form: Assignment, caller: Who) -> Row:
        """Give a finding to somebody; it stays theirs for as long as it is open."""
        act = self._act(caller, form)
        async with self._engine.begin() as ledger:
            return _row(aged(await handling.assign(ledger, finding_id, form.owner, act), act.at))

    async def accept(self, finding_id: Text, form: Reason, caller: Who) -> Row:
        """Let a finding stay: not open, not healed, closed by itself once it is gone."""
        act = self._act(caller, form)
        async with self._engine.begin() as ledger:
            return _row(aged(await handling.accept(ledger, finding_id, act), act.at))

    def _act(self, caller: Caller, form: Reason) -> Act:
        return Act(caller.name, form.why(), self._clock.now())

    async def _found(self, wanted: Wanted, limit: int) -> list[Row]:
        async with self._engine.connect() as ledger:
            rows = await findings.listing(ledger, limit=limit, **wanted.columns())
        return [aged(dict(row), self._clock.now()) for row in rows]


def _row(row: Row) -> Row:
    return {name: _plain(each) for name, each in row.items()}


def _plain(value: Any) -> Any:
    """Return amounts as text, without the zeros that their column adds."""
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list) else value
