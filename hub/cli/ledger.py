"""`crossdock ledger`: proving that nobody edited the audit trail; letting go of what is old."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from hub.cli.desk import ConfigOption, actor, desk
from hub.cli.exits import Exit, run
from hub.cli.listing import print_listed
from hub.cli.output import Output, OutputOption, print_json, print_rows
from hub.clock import SystemClock
from hub.dead_letters.times import moment
from hub.ledger import audit, audit_log
from hub.pruning import Pruner, Wish
from hub.settings.model import Retention

_LOG = ("at", "actor", "action", "subject", "hold", "reason")

app = typer.Typer(help="The ledger itself.", no_args_is_help=True)


@app.command("audit")
def audit_command(config: ConfigOption = None, output: OutputOption = Output.TABLE) -> None:
    """Verify the audit chain; names the first row that was edited, deleted, moved or cut off.

    Keep the head that it prints somewhere else: who can write the whole database can also write
    another history, and only a head from before shows that.
    """

    async def work() -> tuple[audit.Broken | None, audit.Head]:
        async with desk(config) as at, at.engine.connect() as ledger:
            return await audit.verify(ledger), await audit.head(ledger)

    broken, head = run(work())
    if output is Output.JSON:
        why = {"row": broken and broken.seq, "why": broken and broken.why}
        print_json({"ok": broken is None, **why, "rows": head.seq, "head": head.hash})
    elif broken is None:
        typer.echo(f"the audit chain holds: {head.seq} rows, head {head.hash}")
    else:
        typer.echo(f"row {broken.seq}: {broken.why}")
    if broken is not None:
        raise typer.Exit(Exit.FAILURE)


@app.command("log")
def log_command(
    config: ConfigOption = None,
    since: Annotated[
        str, typer.Option(help="Done then or later: 30m, 2h, 3d ago, or ISO 8601.")
    ] = "30d",
    actor: Annotated[str | None, typer.Option(help="Only by this person.")] = None,
    action: Annotated[
        str | None, typer.Option(help="Only this: hold.release, or all that begins with hold.")
    ] = None,
    subject: Annotated[
        str | None,
        typer.Option(help="Only what was done to this id, or to ids that begin so."),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 100,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show who did what and why, the newest first; what documents held is not shown."""
    try:
        start = moment(since, SystemClock().now())
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--since") from None
    chosen = audit_log.Chosen(start, limit, actor, action, subject)

    async def work() -> list[dict[str, Any]]:
        async with desk(config) as at, at.engine.connect() as ledger:
            return await audit_log.log(ledger, chosen)

    print_listed(run(work()), _LOG, output, "nobody did anything of the kind")


@app.command("prune")
def prune(
    reason: Annotated[str, typer.Option(help="Why; goes into the audit trail.")] = "retention",
    dry_run: Annotated[  # noqa: FBT002  # an option
        bool, typer.Option("--dry-run", help="Only count what would go.")
    ] = False,
    config: ConfigOption = None,
    by: Annotated[str | None, typer.Option(help="Who; by default the user of this shell.")] = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Let go of what is at rest and older than `retention` keeps; the hub does so by itself."""

    async def work() -> tuple[dict[str, int], str]:
        async with desk(config) as at:
            kept = at.site.retention
            pruner = Pruner(at.engine, at.archive, kept, at.clock)
            return await pruner.prune(Wish(actor(by), reason, dry_run)), _nothing(kept)

    found, nothing = run(work())
    print_rows(
        [{"what": name, "rows": count} for name, count in found.items()], ("what", "rows"), output
    )
    if not any(found.values()):
        typer.echo(nothing, err=True)
        raise typer.Exit(Exit.NOTHING_MATCHED)


def _nothing(kept: Retention) -> str:
    """Why nothing was let go."""
    days = (kept.archive_days, kept.documents_days, kept.exchanges_days, kept.audit_days)
    if any(each is not None for each in days):
        return "nothing is older than retention keeps"
    return "retention is off: nothing is ever let go (retention.archive_days and the others)"
