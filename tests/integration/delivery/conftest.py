"""A migrated ledger, a target in memory and a role between them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from hub.delivery.role import DeliverRole
from hub.ledger.engine import open_engine
from tests.support.deliveries import Books, ScriptedTarget, parts, spec


@pytest.fixture
async def books(database: str) -> AsyncIterator[Books]:
    """The test's own ledger."""
    engine = open_engine(database)
    yield Books(engine)
    await engine.dispose()


@pytest.fixture
def target() -> ScriptedTarget:
    """A target that accepts everything until it is told otherwise."""
    return ScriptedTarget()


@pytest.fixture
def role(books: Books, target: ScriptedTarget) -> DeliverRole:
    """A role for `target`, not running yet."""
    return DeliverRole(spec(target), parts(books.engine))
