"""A Business Central company to talk to: the sandbox's, in this process, behind a bad network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from connectors.business_central.client import BusinessCentralClient
from connectors.business_central.config import BusinessCentralConfig
from sandbox import reference_data
from sandbox.business_central import PREFIX, BusinessCentral
from sandbox.company import Company
from sandbox.journal import Journal
from sandbox.json_text import Row
from sandbox.sign_in import SignIn
from sandbox.world import World
from tests.support.business_central import NOW, ManualClock, Network, options

PAGE_SIZE = 4


@dataclass
class Target:
    """The company, the network in front of it, and a client."""

    books: Company
    network: Network
    clock: ManualClock
    config: BusinessCentralConfig

    def client(self, **changes: object) -> BusinessCentralClient:
        """A client on the network."""
        config = self.config.model_copy(update=changes)
        return BusinessCentralClient(config, transport=self.network, clocks=self.clock.clocks())

    def rows(self, collection: str) -> list[Row]:
        """All rows of one of the company's collections."""
        found: list[Row] = getattr(self.books, collection).candidates({})
        return found

    def posted(self, collection: str) -> list[tuple[str, str]]:
        """(item, quantity) of all posted lines that moved."""
        return [
            (line["lineObjectNumber"], str(line["quantity"]))
            for line in self.rows(collection)
            if line["quantity"]
        ]


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Target]:
    books = Company(reference_data.COMPANY, reference_data.customers(), reference_data.items())
    journal = Journal(tmp_path / "effects.jsonl")
    world = World(journal, [books], lambda: NOW, seed=1)
    sign_in = SignIn("id", "secret", books, lambda: NOW)
    app = FastAPI()
    app.include_router(BusinessCentral(books, world, sign_in, PAGE_SIZE).router())
    config = options(
        base_url=f"http://localhost{PREFIX}", company_id=books.row["id"], token=sign_in.token()
    )
    yield Target(books, Network(httpx.ASGITransport(app)), ManualClock(), config)
    journal.close()
