"""What planning, comparing and editing start: one worker process and the targets that are asked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from connectors.registry import CONNECTORS
from hub.cli.desk import Desk
from hub.dead_letters.ask import Targets, site_targets
from hub.dead_letters.plan import Planner
from hub.delivery.carriers import Books
from hub.mapping.files import shipped_mappings
from hub.render import WorkerRenderer
from hub.workers.pool import WorkerPool
from hub.workers.spec import worker_spec


@asynccontextmanager
async def planner(at: Desk) -> AsyncIterator[Planner]:
    """Start what planning needs; nothing that it does has an effect."""
    spec = worker_spec(at.site, CONNECTORS, shipped_mappings())
    targets = Targets(site_targets(at.site, Books(at.engine, at.clock)))
    one = at.site.workers.model_copy(update={"processes": 1})
    try:
        async with WorkerPool(spec, one) as workers:
            renderer = WorkerRenderer(workers, at.site.control_points)
            yield Planner(at.engine, at.archive, targets, renderer, workers)
    finally:
        await targets.close()
