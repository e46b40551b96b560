"""One ledger for all tests of transports: messages and deliveries are forgotten in between."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.ledger.engine import open_engine
from hub.ledger.tables import attempt, delivery, document, exchange
from hub.servers.addresses import Addresses
from tests.support import databases
from tests.support.databases import in_thread


@pytest.fixture(scope="module")
def shared(template: Addresses, fresh_name: Callable[[], str]) -> Iterator[str]:
    """The URL of a ledger of this file's own."""
    url, name = template.database_url, fresh_name()
    yield in_thread(lambda: databases.make_database(url, name))
    in_thread(lambda: databases.drop_database(url, name))


@pytest.fixture
async def engine(shared: str) -> AsyncIterator[AsyncEngine]:
    """The ledger, without any message or delivery of earlier tests."""
    opened = open_engine(shared)
    async with opened.begin() as ledger:
        for table in (exchange, attempt, delivery, document):
            await ledger.execute(sa.delete(table))
    yield opened
    await opened.dispose()
