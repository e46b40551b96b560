"""One pool for all tests of a file: starting processes is what takes time here."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from hub.settings.model import Workers
from hub.workers.pool import WorkerPool
from tests.support.attacks import ATTACKS
from tests.support.paper import paper_spec


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pool() -> AsyncIterator[WorkerPool]:
    """Two workers and a spare with a short deadline; it heals from whatever a test does to it."""
    settings = Workers(processes=2, deadline_seconds=0.3)
    async with WorkerPool(paper_spec(), settings) as workers:
        yield workers


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def attacked() -> AsyncIterator[WorkerPool]:
    """A pool as it runs in production, with a flow for each attack."""
    async with WorkerPool(paper_spec(**ATTACKS), Workers(processes=2)) as workers:
        yield workers
