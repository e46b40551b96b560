"""`crossdock hold`: what is kept back, why, and letting it go."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from hub.cli.desk import ConfigOption, actor, desk, warn_if_idle
from hub.cli.exits import Exit, run
from hub.cli.output import Output, OutputOption, print_json, print_rows
from hub.ledger import holds
from hub.release import held
from hub.release.holds import Act, reject, release

app = typer.Typer(help="Held documents: list, show, release, reject.", no_args_is_help=True)
_COLUMNS = (
    "id", "kind", "entity", "number", "partner", "reasons", "amount", "currency", "opened_at",
)  # fmt: skip


class State(StrEnum):
    """What became of a hold."""

    OPEN = "open"
    RELEASED = "released"
    REJECTED = "rejected"


Name = Annotated[str, typer.Argument(help="The hold's id, or the number of its document.")]
Reason = Annotated[str, typer.Option(help="Why; goes into the audit trail.")]
Actor = Annotated[str | None, typer.Option(help="Who; by default the user of this shell.")]


@app.command("ls")
def ls(
    config: ConfigOption = None,
    state: Annotated[State, typer.Option(help="Which holds.")] = State.OPEN,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 100,
    output: OutputOption = Output.TABLE,
) -> None:
    """List holds, the oldest first."""

    async def work() -> list[dict[str, Any]]:
        async with desk(config) as at, at.engine.connect() as ledger:
            return [dict(row) for row in await holds.listing(ledger, state=state, limit=limit)]

    rows = run(work())
    if output is Output.TABLE:
        rows = [row | {"id": row["id"][:8], "reasons": _codes(row)} for row in rows]
    if rows or output is Output.JSON:
        print_rows(rows, _COLUMNS, output)
    if not rows:
        typer.echo("no hold matches", err=True)
        raise typer.Exit(Exit.NOTHING_MATCHED)


@app.command("show")
def show(name: Name, config: ConfigOption = None, output: OutputOption = Output.TABLE) -> None:
    """Show one hold with every reason, the item that it is about, and what a conflict changes."""

    async def work() -> dict[str, Any]:
        async with desk(config) as at, at.engine.connect() as ledger:
            return await held.view(ledger, dict(await holds.find(ledger, name)))

    row = run(work())
    if output is Output.JSON:
        print_json(row)
        return
    shown = (
        "id",
        "kind",
        "entity",
        "number",
        "partner",
        "amount",
        "currency",
        "opened_at",
        "state",
    )
    print_rows([row], shown, output)
    print_rows(row["reasons"], ("control_point", "code", "where", "item", "detail"), output)
    if row["differences"]:
        print_rows(row["differences"], ("where", "in_force", "held"), output, title="differences")
    for warning in row["warnings"]:
        typer.echo(f"{warning}: {held.WARNINGS[warning]}", err=True)


@app.command("release")
def release_hold(
    name: Name,
    *,
    reason: Reason,
    config: ConfigOption = None,
    by: Actor = None,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Also where the target will usually refuse it.")
    ] = False,
) -> None:
    """Let a held document go; a conflict goes as a replacement of the version in force.

    A change to an order that has been shipped is usually refused by the target and becomes a dead
    letter: that takes --anyway.
    """
    _act(name, reason, config, by, letting_go=True, anyway=anyway)


@app.command("reject")
def reject_hold(name: Name, reason: Reason, config: ConfigOption = None, by: Actor = None) -> None:
    """Refuse a held document for good."""
    _act(name, reason, config, by, letting_go=False)


def _act(
    name: str,
    reason: str,
    config: ConfigOption,
    by: str | None,
    *,
    letting_go: bool,
    anyway: bool = False,
) -> None:
    if not reason.strip():
        typer.echo("a reason is needed: it goes into the audit trail", err=True)
        raise typer.Exit(Exit.USAGE)

    async def work() -> str:
        async with desk(config) as at:
            act = Act(actor(by), reason, at.clock.now())
            async with at.engine.begin() as ledger:
                found = await holds.find(ledger, name)
                if letting_go and not anyway:
                    await held.check_release(ledger, dict(found))
                if letting_go:
                    await release(ledger, found["id"], act, at.site)
                else:
                    await reject(ledger, found["id"], act, at.site)
            return str(found["id"])

    hold_id = run(work())
    warn_if_idle(config)
    typer.echo(f"hold {hold_id[:8]} {'released' if letting_go else 'rejected'}")


def _codes(row: dict[str, Any]) -> str:
    return ", ".join(f"{reason['code']} {reason['where']}".strip() for reason in row["reasons"])
