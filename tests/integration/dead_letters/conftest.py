"""A ledger, streams, an archive, and a shell beside them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from dlq_tools.commands import app
from hub.servers.addresses import Addresses
from tests.support.dead_letters import Servers, Shell, servers, shell
from tests.support.deliveries import (
    Books,
)


@pytest.fixture
async def at(addresses: Addresses, tmp_path: Path) -> AsyncIterator[Servers]:
    """Fresh servers, no hub running."""
    async with servers(addresses, tmp_path) as opened:
        yield opened


@pytest.fixture
def books(at: Servers) -> Books:
    """Their ledger, as tests fill and read it."""
    return Books(at.engine)


@pytest.fixture
def desk(addresses: Addresses, tmp_path: Path) -> Shell:
    """A person's shell beside them."""
    return shell(app, tmp_path, addresses)
