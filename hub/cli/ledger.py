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
    """Verify the audit chain; names the first row that was edited, deleted or moved."""

    async def work() -> audit.Broken | None:
        async with desk(config) as at, at.engine.connect() as ledger:
            return await audit.verify(ledger)

    broken = run(work())
    if output is Output.JSON:
        print_json(
            {"ok": broken is None, "row": broken and broken.seq, "why": broken and broken.why}
        )
    elif broken is None:
        typer.echo("the audit chain holds")
    else:
        typer.echo(f"row {broken.seq}: {broken.why}")
    if broken is not None:
        raise typer.Exit(Exit.FAILURE)
