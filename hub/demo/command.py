"""`crossdock demo`: plays the story and ends with an account that adds up."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

import httpx
import typer
from rich.console import Console

from canonical.errors import ConfigError
from hub.cli.exits import Exit, run
from hub.cli.output import Output, OutputOption, print_json, print_rows
from hub.demo.outcome import Outcome, outcome
from hub.demo.stage import Stage
from hub.demo.story import SCENES
from hub.demo.world import Places, World, stop_kept
from hub.ledger.engine import open_engine
from hub.servers.addresses import find_running
from hub.settings.model import Servers

_DOCUMENTS = ("entity", "number", "partner", "connection", "verdict", "state", "code")
_BALANCE = ("received", "delivered", "held", "dead", "duplicate", "rejected", "adds_up")


def demo(
    output: OutputOption = Output.TABLE,
    keep: Annotated[bool, typer.Option("--keep", help="Leave it all running.")] = False,  # noqa: FBT002
    stop: Annotated[bool, typer.Option("--stop", help="End a demo that was kept.")] = False,  # noqa: FBT002
    folder: Annotated[Path, typer.Option(help="Where the demo keeps its data.")] = Path(
        ".crossdock/demo"
    ),
) -> None:
    """Play a distributor's day against an emulated world, and account for every document."""
    places = Places(folder.absolute())
    if stop:
        ended = run(stop_kept(places))
        typer.echo(f"ended: {', '.join(ended) or 'nothing was running'}")
        return
    result = run(_play(places, keep=keep, console=Console(stderr=output is Output.JSON)))
    if output is Output.JSON:
        print_json(result.figures)
    else:
        _show(result)
    if not result.good:
        raise typer.Exit(Exit.FAILURE)


async def _play(places: Places, *, keep: bool, console: Console) -> Outcome:
    world = World(places)
    started = time.monotonic()
    finished = False
    try:
        console.print("starting NATS, PostgreSQL, Redis, the sandbox and the hub ...")
        await world.start()
        async with _stage(world) as stage:
            for number, scene in enumerate(SCENES, start=1):
                begun = time.monotonic()
                seen = await scene.play(stage)
                took = time.monotonic() - begun
                console.print(f"[bold]{number:2}/{len(SCENES)} {scene.title}[/bold] ({took:.1f} s)")
                console.print(f"      {seen}", highlight=False, markup=False)
            result = await outcome(stage)
        console.print(f"played in {time.monotonic() - started:.0f} s")
        finished = True
    finally:
        if keep and finished:
            _say_where(world, console)
        else:
            await world.stop()
    return result


@asynccontextmanager
async def _stage(world: World) -> AsyncIterator[Stage]:
    addresses = find_running(world.places.root, Servers())
    if addresses is None:
        raise ConfigError("hub_not_running", str(world.places.root), "the hub's servers are gone")
    engine = open_engine(addresses.database_url, pool_size=2)
    try:
        async with httpx.AsyncClient(timeout=30) as http:
            yield Stage(world, engine, http)
    finally:
        await engine.dispose()


def _say_where(world: World, console: Console) -> None:
    environment = world.write_environment()
    lines = (
        f"hub:      {world.hub_url}  (OpenAPI at /docs, /readyz, /metrics)",
        f"sandbox:  {world.sandbox_url}/_control/journal",
        f"folders:  {world.places.root / 'folders'}",
        f"use the command line beside it:  . {environment} && crossdock trace PO-1006",
        "end it with:  crossdock demo --stop",
    )
    for line in lines:
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _show(result: Outcome) -> None:
    print_rows(result.documents, _DOCUMENTS, Output.TABLE, title="Every document that came in")
    effects = [{"effect": name, "count": count} for name, count in result.effects.items()]
    title = "What took effect in the other systems (their own journal)"
    print_rows(effects, ("effect", "count"), Output.TABLE, title=title)
    title = "received = delivered + held + dead + duplicate + rejected"
    print_rows([result.figures["balance"]], _BALANCE, Output.TABLE, title=title)
    names = (
        "conflicts",
        "twins",
        "released",
        "replayed",
        "ship_not_invoiced",
        "lost",
        "double_effects",
    )
    shown = {name: result.figures[name] for name in names}
    print_rows([shown], names, Output.TABLE)
