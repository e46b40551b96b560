"""At 50,000 orders everything is still found by an index, and only what is missing is found."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from hub.ledger import settlements, threads
from hub.ledger.engine import open_engine
from hub.ledger.tables import finding
from hub.reconcile import facts
from hub.reconcile.runner import Reconciler
from hub.servers.addresses import Addresses
from tests.support import databases
from tests.support.databases import in_thread
from tests.support.ledgers import SITE
from tests.support.many_orders import MISSING, NOW, fill

ORDERS = 50_000
JOB = "ship-not-invoiced"


class Now:
    """A clock that stands still."""

    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return 0.0


@pytest.fixture(scope="module")
def large(template: Addresses, fresh_name: Callable[[], str]) -> Iterator[str]:
    """The URL of a ledger of many orders; tests only add to it what they take away again."""

    async def filled() -> None:
        engine = open_engine(url)
        async with engine.begin() as connection:
            await fill(connection, ORDERS)
            await connection.exec_driver_sql("ANALYZE")
        await engine.dispose()

    name = fresh_name()
    url = in_thread(lambda: databases.make_database(template.database_url, name))
    in_thread(filled)
    yield url
    in_thread(lambda: databases.drop_database(template.database_url, name))


@pytest.fixture
async def engine(large: str) -> AsyncIterator[AsyncEngine]:
    opened = open_engine(large)
    yield opened
    await opened.dispose()


@pytest.fixture
async def ledger(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    async with engine.connect() as connection:
        yield connection


async def rows_read(ledger: AsyncConnection) -> int:
    """Count the rows that this transaction has read, by scans and by indexes."""
    await ledger.exec_driver_sql("SELECT pg_stat_clear_snapshot()")
    read = await ledger.scalar(
        sa.text(
            "SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) FROM pg_stat_xact_user_tables"
        )
    )
    return int(read or 0)


@pytest.mark.parametrize(
    "key",
    [
        "PO-777",
        "S-777",
        "INV-777",
        "XD777",
        "order-777",
        "SSCC777",
        "1Z777",
        "create_order-at-bc-777",
        "SO-shipment777",
    ],
)
async def test_a_thread_is_found_without_reading_the_ledger(
    ledger: AsyncConnection, key: str
) -> None:
    found = await threads.find(ledger, key)
    assert found is not None
    assert {row["entity"] for row in found.documents} == {"order", "shipment", "invoice"}
    assert len(found.documents) == 3
    assert len(found.deliveries) == 2
    assert await rows_read(ledger) < 200


async def test_a_key_that_nobody_knows_is_answered_without_reading_the_ledger(
    ledger: AsyncConnection,
) -> None:
    assert await threads.find(ledger, "nobody") is None
    assert await rows_read(ledger) < 50


@pytest.mark.parametrize(
    "query",
    [
        "SELECT id FROM document ORDER BY created_at DESC LIMIT 100",
        "SELECT id FROM document WHERE entity = 'order' ORDER BY created_at DESC LIMIT 100",
        "SELECT id FROM dead_letter WHERE document_id = 'order-1'",
    ],
)
async def test_lists_are_read_from_an_index(ledger: AsyncConnection, query: str) -> None:
    await ledger.exec_driver_sql(query)
    assert await rows_read(ledger) < 1000


async def test_leases_are_renewed_without_reading_the_ledger(ledger: AsyncConnection) -> None:
    claimed = "UPDATE delivery SET claim_token = 'mine', claimed_until = $1 WHERE id = $2"
    await ledger.exec_driver_sql(claimed, (NOW, "create_order777"))
    later = NOW + timedelta(minutes=1)
    await settlements.renew(ledger, ["mine", "another"], later)
    until = "SELECT claimed_until FROM delivery WHERE id = 'create_order777'"
    assert await ledger.scalar(sa.text(until)) == later
    assert await rows_read(ledger) < 50


async def test_reconciliation_reads_by_indexes_only(ledger: AsyncConnection) -> None:
    tenth = timedelta(days=1, seconds=ORDERS // 10)  # of the ledger, as a window is after a year
    news = [NOW - tenth], [NOW - timedelta(hours=1)]
    window = (*news, "2026-05-01", "2026-05-04", [JOB])
    plan = await ledger.exec_driver_sql(f"EXPLAIN {facts.CANDIDATES}", window)
    text = "\n".join(plan.scalars())
    for index in (
        "ix_document_created_at",
        "ix_document_ship_by",
        "ix_delivery_action_settled_at",
        "pk_document",
    ):
        assert index in text
    assert "Seq Scan on document" not in text
    assert "Seq Scan on delivery" not in text


async def test_the_one_invoice_that_is_missing_among_many_is_found_and_no_other(
    engine: AsyncEngine,
) -> None:
    report = await Reconciler(engine, SITE, Now()).run(JOB, heal=False)
    assert (report.found, report.opened) == (1, 1)
    async with engine.begin() as ledger:
        (found,) = (await ledger.execute(sa.delete(finding).returning(finding))).mappings()
    assert found["subject"] == f"order/acme/PO-{MISSING}/"
    assert (found["amount"], found["details"]) == (Decimal(70), {f"SKU-{MISSING % 500}": "7"})
