"""What the sandbox's unit tests share: a company with its books, a clock that stands."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sandbox import reference_data
from sandbox.company import Company
from sandbox.journal import Journal
from sandbox.sales_order import Desk
from sandbox.world import Part, World

NOW = datetime(2026, 3, 2, 10, 11, 12, 537_000, tzinfo=UTC)


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def company() -> Company:
    return Company(reference_data.COMPANY, reference_data.customers(), reference_data.items())


@pytest.fixture
def desk(company: Company) -> Desk:
    numbers = itertools.count(1)
    return Desk(company, lambda: f"00000000-0000-4000-8000-{next(numbers):012d}", NOW)


@pytest.fixture
def new_world(tmp_path: Path) -> Iterator[Callable[..., World]]:
    """Open (and reopen) a world on the same journal."""
    journals: list[Journal] = []

    def make(*parts: Part) -> World:
        for journal in journals:
            journal.close()
        journals[:] = [Journal(tmp_path / "effects.jsonl")]
        return World(journals[0], parts, lambda: NOW, 1)

    yield make
    for journal in journals:
        journal.close()
