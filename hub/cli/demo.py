"""`crossdock demo`: plays the story and ends with an account that adds up."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from hub.cli.exits import Exit, run
from hub.cli.output import Output, OutputOption, print_json, print_rows
from hub.demo.outcome import Outcome
from hub.demo.play import play
from hub.demo.world import Places, World, stop_kept
from hub.servers.lock import is_held

_DOCUMENTS = (
    "entity", "number", "partner", "verdict", "state", "code", "shipment", "invoice", "parcel",
)  # fmt: skip
_EFFECTS = (
    "sales_order_created", "warehouse_order_received", "warehouse_shipment_sent",
    "shipment_posted", "invoice_posted", "tracker_event_sent", "partner_acknowledged",
)  # fmt: skip
_BALANCE = ("entity", "received", "delivered", "held", "dead", "duplicate", "rejected", "adds_up")


def demo(
    output: OutputOption = Output.TABLE,
    keep: Annotated[bool, typer.Option("--keep", help="Leave it all running.")] = False,  # noqa: FBT002
    stop: Annotated[bool, typer.Option("--stop", help="End a demo that was kept.")] = False,  # noqa: FBT002
    folder: Annotated[Path, typer.Option(help="Where the demo keeps its data.")] = Path(
        ".crossdock/demo"
    ),
) -> None:
    """Play a distributor's day against an emulated world, and account for every document."""
    if keep and stop:
        raise typer.BadParameter("expected --keep or --stop, not both", param_hint="--stop")
    places = Places(folder.absolute())
    if stop:
        ended = run(stop_kept(places))
        typer.echo(f"ended: {', '.join(ended) or 'nothing was running'}")
        if is_held(places.root):
            typer.echo(f"something still runs on {places.root}", err=True)
            raise typer.Exit(Exit.FAILURE)
        return
    result, world = run(play(places, keep=keep, console=Console(stderr=output is Output.JSON)))
    if output is Output.JSON:
        print_json(result.as_dict())
    else:
        _show(result)
    if keep:
        _say_where(world, Console(stderr=True))
    if not result.good:
        raise typer.Exit(Exit.FAILURE)


def _show(result: Outcome) -> None:
    title = "Every order that came in, and what followed from it"
    print_rows(result.documents, _DOCUMENTS, Output.TABLE, title=title)
    effects = [{"effect": name, "count": result.effects.get(name, 0)} for name in _EFFECTS]
    title = "What took effect in the other systems (their own journal)"
    print_rows(effects, ("effect", "count"), Output.TABLE, title=title)
    title = "received = delivered + held + dead + duplicate + rejected"
    balances = {**result.figures["balance_by_entity"], "total": result.figures["balance"]}
    rows = [{"entity": name, **balance} for name, balance in balances.items()]
    print_rows(rows, _BALANCE, Output.TABLE, title=title)
    names = (
        "conflicts",
        "twins",
        "released",
        "replayed",
        "ship_not_invoiced",
        "lost",
        "double_effects",
    )
    healed = result.figures["ship_not_invoiced"]
    shown = {name: result.figures[name] for name in names}
    shown["ship_not_invoiced"] = f"{healed['found']} found, {healed['healed']} healed"
    print_rows([shown], names, Output.TABLE)


def _say_where(world: World, console: Console) -> None:
    environment = world.write_environment()
    lines = (
        f"hub:      {world.hub_url}  (OpenAPI at /docs, /readyz, /metrics)",
        f"sandbox:  {world.sandbox_url}/_control/journal",
        f"folders:  {world.places.root / 'folders'}",
        f"use the command line beside it:  . {environment} && .venv/bin/crossdock trace PO-1006",
        "end it with:  .venv/bin/crossdock demo --stop",
    )
    for line in lines:
        console.print(line, markup=False, highlight=False, soft_wrap=True)
