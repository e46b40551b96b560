"""Waiting for a replay job beside the hub that works it off, with progress where somebody watches."""

from __future__ import annotations

import asyncio
from typing import Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.cli.desk import ConfigOption, site_of
from hub.cli.output import console
from hub.dead_letters import jobs
from hub.servers.addresses import find_running

SHOWN = 1000
"""Letters of a job that are listed."""
_LOOK_SECONDS = 0.25


def hub_runs(config: ConfigOption) -> bool:
    """Tell whether it is of use to wait; to be asked before the desk starts servers of its own."""
    site = site_of(config)
    running = find_running(site.data_dir, site.servers) is not None
    if not running:
        typer.echo("no hub is running: the job goes on when one is started", err=True)
    return running


async def follow(engine: AsyncEngine, job_id: str, seconds: float) -> None:
    """Wait until a job has ended, with progress where somebody watches; at most so long."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    screen = console()
    with Progress(*columns, console=screen, disable=not screen.is_terminal) as progress:
        task = progress.add_task("replaying", total=None)
        while True:
            async with engine.connect() as ledger:
                job = await jobs.status(ledger, job_id)
            ended = job["total"] - sum(job["counts"].get(each, 0) for each in ("waiting", "begun"))
            words = ", ".join(f"{count} {name}" for name, count in sorted(job["counts"].items()))
            progress.update(task, total=job["total"], completed=ended, description=words)
            over = job["ended_at"] is not None or job["state"] == "awaiting_approval"
            if over or loop.time() >= end:
                return
            await asyncio.sleep(_LOOK_SECONDS)


async def told(engine: AsyncEngine, job_id: str) -> dict[str, Any]:
    """Return a job as it stands, with the outcomes of its letters."""
    async with engine.connect() as ledger:
        job = await jobs.status(ledger, job_id)
        return job | {"items": await jobs.items(ledger, job_id, None, SHOWN)}
