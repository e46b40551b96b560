"""`crossdock reconcile`: what does not match between systems, and healing it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from hub.cli.desk import ConfigOption, actor, desk
from hub.cli.exits import run
from hub.cli.output import Output, OutputOption, print_json, print_rows
from hub.ledger import findings
from hub.reconcile.runner import JOBS, Reconciler

app = typer.Typer(help="Reconciliation: run jobs, report findings.", no_args_is_help=True)
_COLUMNS = ("job", "subject", "state", "age", "amount", "currency", "cause", "remedy", "redrives")


@app.command("run")
def run_job(
    job: Annotated[str, typer.Argument(help=f"One of: {', '.join(JOBS)}.")],
    config: ConfigOption = None,
    heal: Annotated[bool | None, typer.Option(help="Re-drive what policy allows.")] = None,
    by: Annotated[str | None, typer.Option(help="Who; by default this shell's user.")] = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Run one job now and show what it found."""

    async def work() -> tuple[dict[str, Any], list[dict[str, Any]]]:
        async with desk(config) as at:
            reconciler = Reconciler(at.engine, at.site, at.clock)
            report = await reconciler.run(job, heal=heal, actor=actor(by))
            async with at.engine.connect() as ledger:
                rows = await findings.listing(ledger, job=job)
            return report.as_dict(), [_aged(dict(row), at.clock.now()) for row in rows]

    report, rows = run(work())
    if output is Output.JSON:
        print_json(report | {"findings": rows})
        return
    print_rows([report], tuple(report), output)
    print_rows(rows, _COLUMNS, output)


@app.command("report")
def report(
    config: ConfigOption = None,
    job: Annotated[str | None, typer.Option(help="Only this job.")] = None,
    state: Annotated[str | None, typer.Option(help="open, healing or closed.")] = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show findings with age and money, the oldest first."""

    async def work() -> list[dict[str, Any]]:
        async with desk(config) as at, at.engine.connect() as ledger:
            rows = await findings.listing(ledger, job=job, state=state)
            return [_aged(dict(row), at.clock.now()) for row in rows]

    print_rows(run(work()), _COLUMNS, output)


def _aged(row: dict[str, Any], now: datetime) -> dict[str, Any]:
    """Add how long the finding has been true, or was until it closed."""
    until = row["closed_at"] or now
    seconds = max(0, round((until - row["since"].astimezone(UTC)).total_seconds()))
    days, rest = divmod(seconds, 86_400)
    hours, rest = divmod(rest, 3600)
    minutes, rest = divmod(rest, 60)
    words = (
        f"{days}d {hours}h" if days else f"{hours}h {minutes}m" if hours else f"{minutes}m {rest}s"
    )
    return row | {"age": words, "age_seconds": seconds}
