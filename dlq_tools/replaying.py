"""`crossdock dlq replay`, `status` and `cancel`: replay jobs, which the hub works off.

The command only writes the job; the hub's role `jobs` does the rest, whatever becomes of the shell.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from canonical.errors import Rejected
from dlq_tools.cells import rows_of
from dlq_tools.exits import exit_of
from dlq_tools.following import SHOWN, follow, hub_runs, told
from dlq_tools.options import (
    Acting,
    Actor,
    Reason,
    acting_options,
    allowed,
    by_whom,
    filters,
    taking,
)
from hub.cli.desk import ConfigOption, Desk, desk
from hub.cli.exits import Exit, run
from hub.cli.output import Output, OutputOption, print_json, print_rows
from hub.dead_letters import jobs, letters, replay
from hub.dead_letters.filters import Filters, State
from hub.dead_letters.jobs import Threshold, Wish
from hub.dead_letters.outcome import REFUSED, Outcome
from hub.release.holds import Act
from hub.settings.model import Site

_WAIT_SECONDS = 60.0
_DRY_BATCH = 200
_JOB_ID = 13
"""Characters of a job's id that tables show: ids of one minute begin alike."""
_ITEMS = ("id", "number", "outcome", "code", "where", "detail", "new_letter")
_JOBS = (
    "id", "requested_at", "state", "actor", "reason", "total", "counts", "money", "per_second",
    "code", "ended_at",
)  # fmt: skip

JobName = Annotated[str, typer.Argument(help="The job's id, or the first characters of it.")]


@dataclass(frozen=True, slots=True)
class Pace:
    """How a replay is to go, and how long its command waits for it."""

    rate: float | None
    canary: int
    map_version: str | None
    wait: float | None
    """Seconds; None: not at all."""

    def wish(self, chosen: Filters, most: int | None, usual_rate: float) -> Wish:
        """Return what is wished for."""
        return Wish(chosen, self.rate or usual_rate, self.canary, most, self.map_version)


def pace(
    rate: Annotated[
        float | None, typer.Option(min=0.01, max=1000, help="Letters begun a second.")
    ] = None,
    canary: Annotated[
        int, typer.Option(min=0, help="So many go first; the rest only if these go well.")
    ] = 0,
    map_version: Annotated[
        str | None, typer.Option(help="Stop unless the hub runs a mapping of this version.")
    ] = None,
    wait: Annotated[
        bool | None, typer.Option(help="Wait for the outcomes; on a terminal, yes.")
    ] = None,
    wait_seconds: Annotated[
        float, typer.Option(min=0, help="How long to wait; the job goes on.")
    ] = _WAIT_SECONDS,
) -> Pace:
    """Return how a replay is to go, as options."""
    waits = sys.stdout.isatty() if wait is None else wait
    return Pace(rate, canary, map_version, wait_seconds if waits else None)


@taking(filters, acting_options, pace)
def replay_letters(chosen: Filters, asked: Acting, how: Pace) -> None:
    """Let dead letters go again as a job, the oldest first, one of each business key at a time.

    The hub does it: a delivery that may have taken effect is asked about first; a document that
    could not be read goes through the pipeline again, with the mappings that the hub started with.
    """
    if asked.consent.dry_run:
        rows = run(_tried(chosen, asked))
        _print_dry(rows, asked.output)
        raise typer.Exit(_exit_dry(rows))
    job = run(_replayed(chosen, asked, how))
    if job is None:
        _print_dry([], asked.output)
        raise typer.Exit(_exit_dry([]))
    print_job(job, asked.output)
    raise typer.Exit(_exit_job(job, waits=how.wait is not None))


async def _tried(chosen: Filters, asked: Acting) -> list[dict[str, Any]]:
    asked.consent.check_selection(narrow=chosen.narrow)
    async with desk(asked.config) as at:
        allowed(at.site, "operator")
        return await _dry_run(at, chosen, asked.by)


async def _replayed(chosen: Filters, asked: Acting, how: Pace) -> dict[str, Any] | None:
    """Ask for the job and follow it as far as was wished; None: there is nothing to replay."""
    asked.consent.check_selection(narrow=chosen.narrow)
    follows = how.wait is not None and hub_runs(asked.config)
    async with desk(asked.config) as at:
        allowed(at.site, "operator")
        async with at.engine.connect() as ledger:
            groups = await letters.groups(ledger, chosen, (State.OPEN,))
        if not groups and not chosen.ids:
            return None
        asked.consent.check(_question(groups, chosen))
        wish = how.wish(chosen, asked.most, at.site.dead_letters.replay_per_second)
        async with at.engine.begin() as ledger:
            act = Act(*asked.by, at.clock.now())
            job = await jobs.ask(ledger, wish, act, threshold(at.site))
        if follows and how.wait is not None:
            await follow(at.engine, job["id"], how.wait)
        return job | await told(at.engine, job["id"])


def status(
    name: Annotated[
        str | None, typer.Argument(help="A job's id, or its first characters; none: all jobs.")
    ] = None,
    *,
    config: ConfigOption = None,
    outcome: Annotated[
        str | None, typer.Option(help="Only letters with this outcome: failed_again, waiting ...")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many.")] = SHOWN,
    output: OutputOption = Output.TABLE,
) -> None:
    """Say how replay jobs stand: the newest ones, or one with the outcome of each letter."""

    async def work() -> dict[str, Any] | list[dict[str, Any]]:
        async with desk(config) as at, at.engine.connect() as ledger:
            if name is None:
                return await jobs.listing(ledger, min(limit, 100))
            job_id = await jobs.find(ledger, name)
            job = await jobs.status(ledger, job_id)
            found = await jobs.items(ledger, job_id, outcome, limit)
            return job | {"items": found, "arrived": await jobs.arrived(ledger, job)}

    found = run(work())
    if isinstance(found, list):
        _print_jobs(found, output)
        if not found:
            raise typer.Exit(Exit.NOTHING_MATCHED)
        return
    print_job(found, output)


def cancel(
    name: JobName,
    *,
    reason: Reason,
    config: ConfigOption = None,
    by: Actor = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """End a replay job: nothing more of it begins; what is not on its way is open again."""
    actor = by_whom(reason, by)

    async def work() -> dict[str, Any]:
        async with desk(config) as at, at.engine.begin() as ledger:
            allowed(at.site, "operator")
            job_id = await jobs.find(ledger, name)
            return await jobs.cancel(ledger, job_id, Act(*actor, at.clock.now()))

    print_job(run(work()), output)


def threshold(site: Site) -> Threshold:
    """Return above what a second person has to approve."""
    given = site.dead_letters
    return Threshold(given.approve_above_letters, given.approve_above_value)


def _question(groups: Sequence[Mapping[str, Any]], chosen: Filters) -> str:
    count = sum(group["count"] for group in groups)
    count = count if chosen.limit is None else min(count, chosen.limit)
    partners = sorted({partner for group in groups for partner in group["partners"]})
    shown = ", ".join(partners[:5])
    return f"replay {count} dead letters ({len(groups)} causes; partners: {shown})?"


async def _dry_run(at: Desk, chosen: Filters, by: tuple[str, str]) -> list[dict[str, Any]]:
    """Do the same and take it back."""
    async with at.engine.connect() as ledger:
        rows = await letters.listing(ledger, chosen, (State.OPEN,))
    found: list[dict[str, Any]] = []
    for start in range(0, len(rows), _DRY_BATCH):
        batch = rows[start : start + _DRY_BATCH]
        async with at.engine.connect() as ledger, ledger.begin() as transaction:
            act = Act(*by, at.clock.now())
            answers = await replay.begin_all(ledger, [row["id"] for row in batch], act)
            await transaction.rollback()
        found += [_would(row, answers[row["id"]]) for row in batch]
    return found


def _would(row: Mapping[str, Any], refused: Rejected | None) -> dict[str, Any]:
    if refused is None:
        said = Outcome(row["id"], "would_replay")
    else:
        said = Outcome(row["id"], REFUSED, refused.code, "", refused.detail)
    return said.row() | {"number": row["number"]}


def _print_jobs(found: Sequence[Mapping[str, Any]], output: Output) -> None:
    if output is Output.JSON:
        print_json(list(found))
    elif found:
        print_rows(rows_of([_short_job(row) for row in found], _JOBS), _JOBS, output)
    else:
        typer.echo("no replay job matches", err=True)


def _short_job(job: Mapping[str, Any]) -> dict[str, Any]:
    counts = [f"{count} {name}" for name, count in sorted(job["counts"].items())]
    return dict(job) | {"id": job["id"][:_JOB_ID], "counts": counts}


def print_job(job: Mapping[str, Any], output: Output) -> None:
    """Print a job, and the outcomes of its letters where it has them."""
    if output is Output.JSON:
        print_json(dict(job))
        return
    _print_jobs([job], output)
    if job.get("arrived"):
        typer.echo(f"since it was asked for, {job['arrived']} more have come that fit its filters")
    if job.get("left_out"):
        typer.echo(f"left out: {job['left_out']} that are not open or in another job", err=True)
    if job["state"] == "awaiting_approval":
        typer.echo(f"it waits for a second person: crossdock dlq approve {job['id'][:_JOB_ID]}")
    if job.get("items"):
        print_rows(rows_of([_short(row) for row in job["items"]], _ITEMS), _ITEMS, output)


def _short(row: Mapping[str, Any]) -> dict[str, Any]:
    return dict(row) | {"id": row["id"][:8], "new_letter": (row["new_letter"] or "")[:8]}


def _print_dry(rows: Sequence[dict[str, Any]], output: Output) -> None:
    if output is Output.JSON:
        print_json(list(rows))
    elif rows:
        print_rows(rows_of([_short(row) for row in rows], _ITEMS), _ITEMS, output)
    else:
        typer.echo("no dead letter matches", err=True)


def _exit_dry(rows: Sequence[Mapping[str, Any]]) -> Exit:
    return exit_of(row["outcome"] for row in rows) if rows else Exit.NOTHING_MATCHED


def _exit_job(job: Mapping[str, Any], *, waits: bool) -> Exit:
    """Return what a job has come to; one that nobody waited for has only begun."""
    if job["state"] == "awaiting_approval":
        return Exit.REFUSED
    if not waits and job["ended_at"] is None:
        return Exit.PARTLY_DONE if job["left_out"] else Exit.OK
    return exit_of([*job["counts"], *([REFUSED] if job["left_out"] else [])])
