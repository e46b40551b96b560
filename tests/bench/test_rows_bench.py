"""The ledger that the bench writes is one that the hub could have written, and can be asked."""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncpg
import pytest

from hub.ledger.engine import migrate, open_engine
from tests.bench.growth import ledger_at
from tests.bench.growth_ask import asked
from tests.bench.rows import Shape, fill

_SMALL = Shape(documents=16_000)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


async def _told(folder: Path) -> dict[str, int]:
    async with ledger_at(folder) as url:
        engine = open_engine(url)
        await migrate(engine)
        await engine.dispose()
        ledger = await asyncpg.connect(url)
        made = "SELECT count(*) FROM pg_index"
        before = await ledger.fetchval(made)
        await fill(ledger, _SMALL, lambda _: None)
        found = {"indexes": await ledger.fetchval(made) - before}
        for table in ("document", "delivery", "dead_letter", "hold", "finding", "statement_entry"):
            found[table] = await ledger.fetchval(f"SELECT count(*) FROM {table}")  # noqa: S608
        found["loose"] = await ledger.fetchval(
            "SELECT count(*) FROM delivery WHERE document_id NOT IN (SELECT id FROM document)"
        )
        await ledger.close()
        told = await asked(url, None, 1, lambda _: None)
        found["asked"] = len({each.ask for each in told})
        found["unexplained"] = sum(each.plan is None for each in told)
        return found


def test_a_ledger_is_filled_and_everything_can_be_asked_of_it(folder: Path) -> None:
    found = asyncio.run(_told(folder))
    assert found["indexes"] == 0
    assert found["loose"] == 0
    assert 15_500 <= found["document"] <= 16_500
    assert found["delivery"] > 10_000
    assert all(found[table] for table in ("dead_letter", "hold", "finding", "statement_entry"))
    assert found["asked"] > 50
    assert found["unexplained"] == 0
