"""`crossdock ledger`: proving that nobody edited the audit trail; letting go of what is old."""

from __future__ import annotations

from typing import Annotated

import typer

from hub.cli.desk import ConfigOption, actor, desk
from hub.cli.exits import Exit, run
from hub.cli.output import Output, OutputOption, print_json, print_rows
from hub.ledger import audit
from hub.pruning import Pruner, Wish

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

    async def work() -> dict[str, int]:
        async with desk(config) as at:
            pruner = Pruner(at.engine, at.archive, at.site.retention, at.clock)
            return await pruner.prune(Wish(actor(by), reason, dry_run))

    found = run(work())
    print_rows(
        [{"what": name, "rows": count} for name, count in found.items()], ("what", "rows"), output
    )
    if not any(found.values()):
        raise typer.Exit(Exit.NOTHING_MATCHED)
