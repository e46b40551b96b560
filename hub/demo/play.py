"""Playing the story on a world of its own."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from rich.console import Console

from canonical.errors import ConfigError
from hub.demo.outcome import Outcome, outcome
from hub.demo.stage import Stage
from hub.demo.story import SCENES
from hub.demo.world import Places, World
from hub.ledger.engine import open_engine
from hub.servers.addresses import find_running
from hub.settings.model import Servers


async def play(places: Places, *, keep: bool, console: Console) -> tuple[Outcome, World]:
    """Play every scene and add up what came of it.

    Args:
        places: where the demo lives.
        keep: leave it running once it is played.
        console: where progress goes.

    Returns:
        What came of it, and the world, which runs on where it was to be kept.

    Raises:
        HubError: the world could not be started, or the story did not go on.
    """
    world = World(places)
    started = time.monotonic()
    finished = False
    try:
        world.prepare()
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
        if not (keep and finished):
            await world.stop()
    return result, world


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
