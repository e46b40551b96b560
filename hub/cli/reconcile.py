"""`crossdock reconcile`: what does not match between systems, whose it is, and healing it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from canonical.errors import Rejected
from hub.cli.choices import one_of
from hub.cli.desk import ConfigOption, Desk, actor, desk
from hub.cli.exits import run
from hub.cli.listing import end_empty, short
from hub.cli.output import Output, OutputOption, print_json, print_rows
from hub.ledger import findings, reconcile_runs
from hub.reconcile import handling, totals
from hub.reconcile.report import aged, as_json, summarise
from hub.reconcile.report_csv import as_csv
from hub.reconcile.report_page import as_page
from hub.reconcile.runner import JOBS, Reconciler
from hub.reconcile.statements import read_statement
from hub.release.holds import Act

app = typer.Typer(help="Reconciliation: run jobs, report findings.", no_args_is_help=True)
_REPORT = (
    "job", "looked_at", "unchecked", "found", "opened", "healing", "closed", "seconds", "sweep",
)  # fmt: skip
_COLUMNS = (
    "id", "job", "about", "state", "age", "amount", "currency", "owner", "cause", "remedy",
    "redrives",
)  # fmt: skip
_GROUP = ("name", "count", "money", "unpriced")
_RUNS = ("job", "started_at", *_REPORT[1:])
_TOTALS = (
    "target", "action", "since", "until", "ours", "theirs", "our_sha256", "their_sha256", "same",
)  # fmt: skip
ByOption = Annotated[str | None, typer.Option(help="Who; by default this shell's user.")]
ReasonOption = Annotated[str, typer.Option(help="Why, for the audit trail.")]


class State(StrEnum):
    """States of a finding, and all of them."""

    OPEN = "open"
    HEALING = "healing"
    ACCEPTED = "accepted"
    CLOSED = "closed"
    ALL = "all"


class ReportOutput(StrEnum):
    """How to print a report."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    HTML = "html"


@app.command("run")
def run_job(
    job: Annotated[str | None, typer.Argument(help=f"All, or one of: {', '.join(JOBS)}.")] = None,
    *,
    config: ConfigOption = None,
    heal: Annotated[bool | None, typer.Option(help="Re-drive what policy allows.")] = None,
    sweep: Annotated[
        bool, typer.Option("--sweep", help="Look at the whole window, not only at news.")
    ] = False,
    by: ByOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Run the jobs now, or one of them, and show what they found."""

    async def work() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        async with desk(config) as at:
            reconciler = Reconciler(at.engine, at.site, at.clock)
            asked: dict[str, Any] = {"heal": heal, "actor": actor(by), "sweep": sweep}
            if job is None:
                reports = await reconciler.run_all(**asked)
            else:
                reports = [await reconciler.run(job, **asked)]
            return [each.as_dict() for each in reports], await _listed(at, {"job": job})

    reports, rows = run(work())
    rows = [row for row in rows if row["state"] != "closed"]
    if output is Output.JSON:
        print_json((reports[0] if job else {"reports": reports}) | {"findings": rows})
        return
    print_rows(reports, _REPORT, output)
    print_rows(short(rows), _COLUMNS, output)


@app.command("report")
def report(
    config: ConfigOption = None,
    job: Annotated[str | None, typer.Option(help="Only this job.", callback=one_of(JOBS))] = None,
    state: Annotated[State, typer.Option(help="Only in this state, or in all.")] = State.OPEN,
    partner: Annotated[str | None, typer.Option(help="Only this partner.")] = None,
    owner: Annotated[str | None, typer.Option(help="Only this owner.")] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, max=1_000_000, help="The oldest so many.")
    ] = None,
    to: Annotated[Path | None, typer.Option(help="Into this file instead of stdout.")] = None,
    output: Annotated[
        ReportOutput, typer.Option("--output", "-o", help="table, json, csv or html.")
    ] = ReportOutput.TABLE,
) -> None:
    """Show findings with age, money and owner, the oldest first; json and html also the sums."""

    async def work() -> list[dict[str, Any]]:
        wanted = None if state is State.ALL else state.value
        given = {"job": job, "state": wanted, "partner": partner, "owner": owner}
        async with desk(config) as at:
            return await _listed(at, given, limit)

    rows = run(work())
    if output is ReportOutput.TABLE:
        _print_report(rows)
    elif output is ReportOutput.JSON and to is None:
        print_json({"summary": as_json(summarise(rows)), "findings": rows})
    else:
        _write(_text(rows, output), to)
    if not rows:
        of = "" if state is State.ALL else f" ({state.value}; see --state)"
        end_empty(f"no finding matches{of}")


def _text(rows: Sequence[dict[str, Any]], output: ReportOutput) -> str:
    if output is ReportOutput.CSV:
        return as_csv(rows)
    if output is ReportOutput.HTML:
        return as_page(rows, summarise(rows), datetime.now(UTC))
    raise typer.BadParameter("--to takes csv and html")


def _write(text: str, to: Path | None) -> None:
    if to is None:
        typer.echo(text, nl=False)
    else:
        to.write_text(text, encoding="utf-8", newline="")


def _print_report(rows: Sequence[dict[str, Any]]) -> None:
    if not rows:
        return
    print_rows(short(rows), _COLUMNS, Output.TABLE)
    summary = as_json(summarise(rows))
    for title in ("by_age", "by_partner", "by_cause", "by_owner"):
        sums = [
            each | {"money": ", ".join(f"{v:,.2f} {c}" for c, v in each["money"].items())}
            for each in summary[title]
            if each["count"]
        ]
        print_rows(sums, _GROUP, Output.TABLE, title=title.replace("_", " ").capitalize())


@app.command("jobs")
def jobs(config: ConfigOption = None, output: OutputOption = Output.TABLE) -> None:
    """Show the last run of each job."""

    async def work() -> list[dict[str, Any]]:
        async with desk(config) as at, at.engine.connect() as ledger:
            rows = {row["job"]: dict(row) for row in await reconcile_runs.newest(ledger, JOBS)}
            return [rows.get(job, {"job": job}) for job in JOBS]

    print_rows(run(work()), _RUNS, output)


@app.command("assign")
def assign(
    finding: Annotated[str, typer.Argument(help="The finding's id, or the start of it.")],
    owner: Annotated[str, typer.Option(help="Whose it is from now on.")],
    reason: ReasonOption,
    config: ConfigOption = None,
    by: ByOption = None,
) -> None:
    """Give a finding to somebody; it stays theirs for as long as it is open."""

    async def work() -> None:
        async with desk(config) as at, at.engine.begin() as ledger:
            act = Act(actor(by), reason, at.clock.now())
            await handling.assign(ledger, finding, owner, act)

    run(work())


@app.command("accept")
def accept(
    finding: Annotated[str, typer.Argument(help="The finding's id, or the start of it.")],
    reason: ReasonOption,
    config: ConfigOption = None,
    by: ByOption = None,
) -> None:
    """Let a finding stay as it is: not open, not healed, closed by itself once it is gone."""

    async def work() -> None:
        async with desk(config) as at, at.engine.begin() as ledger:
            await handling.accept(ledger, finding, Act(actor(by), reason, at.clock.now()))

    run(work())


@app.command("totals")
def show_totals(config: ConfigOption = None, output: OutputOption = Output.TABLE) -> None:
    """Show for each list of a target how many things each side has, and a hash of them."""

    async def work() -> list[dict[str, Any]]:
        async with desk(config) as at, at.engine.connect() as ledger:
            return [each.as_dict() for each in await totals.compared(ledger)]

    print_rows(run(work()), _TOTALS, output)


@app.command("statement")
def statement(
    target: Annotated[str, typer.Argument(help="The connection whose list it is.")],
    file: Annotated[
        Path, typer.Argument(help="CSV or JSON Lines: external_id, reference, sha256, amount ...")
    ],
    action: Annotated[str, typer.Option(help="What made these: create_order, for one.")],
    since: Annotated[datetime, typer.Option(help="The list has everything from then on.")],
    until: Annotated[datetime, typer.Option(help="And until then; UTC.")],
    config: ConfigOption = None,
    by: ByOption = None,
) -> None:
    """Take in a target's own list of what it holds; ledger-vs-target compares it with ours."""

    async def work() -> int:
        entries = read_statement(file.read_bytes())
        async with desk(config) as at:
            if target not in at.site.connections:
                raise Rejected("target_unknown", target, "no connection has this name")
            header = {
                "target": target,
                "action": action,
                "since": since.replace(tzinfo=UTC),
                "until": until.replace(tzinfo=UTC),
                "loaded_at": at.clock.now(),
                "actor": actor(by),
            }
            async with at.engine.begin() as ledger:
                await reconcile_runs.take_statement(ledger, header, entries)
        return len(entries)

    typer.echo(f"{run(work())} entries")


async def _listed(
    at: Desk, given: dict[str, str | None], limit: int | None = None
) -> list[dict[str, Any]]:
    async with at.engine.connect() as ledger:
        rows = await findings.listing(ledger, limit=limit, **given)
        return [aged(dict(row), at.clock.now()) for row in rows]
