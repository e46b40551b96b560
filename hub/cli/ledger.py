"""`crossdock ledger`: proving that nobody edited the audit trail."""

from __future__ import annotations

import typer

from hub.cli.desk import ConfigOption, desk
from hub.cli.exits import Exit, run
from hub.cli.output import Output, OutputOption, print_json
from hub.ledger import audit

app = typer.Typer(help="The ledger itself.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keep `ledger` a group although it has one command so far."""


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
