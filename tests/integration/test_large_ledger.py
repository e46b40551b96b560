"""At 50,000 orders everything is still found by an index, and only what is missing is found."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from hub.ledger import documents, settlements, slices, threads
from hub.ledger.engine import open_engine
from hub.ledger.plans import by_index
from hub.ledger.tables import document, finding
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


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({}, ["order", "shipment", "invoice"]),
        ({"entity": "order"}, ["order"]),
        ({"state": "delivered"}, ["order", "shipment", "invoice"]),
        ({"entity": "order", "state": "dead"}, []),
        ({"entity": "load_tender"}, []),
        ({"state": "rejected"}, []),
    ],
)
async def test_documents_are_listed_newest_first_without_reading_the_ledger(
    ledger: AsyncConnection, given: dict[str, str], found: list[str]
) -> None:
    columns = document.c.entity, document.c.created_at
    rows = await documents.listing(ledger, columns, limit=30, **given)
    assert {row["entity"] for row in rows} == set(found)
    assert len(rows) == (30 if found else 0)
    times = [row["created_at"] for row in rows]
    assert times == sorted(times, reverse=True)
    if found:
        newest = await ledger.scalar(sa.select(sa.func.max(document.c.created_at)))
        assert times[0] == newest
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
    hour = NOW - timedelta(days=2, hours=1), NOW - timedelta(days=2)
    for query, parameters, indexes in (
        (facts.CAME, hour, ["ix_document_created_at"]),
        (facts.POSTED, hour, ["ix_delivery_action_settled_at", "pk_document"]),
        (facts.TO_LEAVE, ("2026-05-01",), ["ix_document_ship_by"]),
        (slices.DOCUMENTS, (*hour, 2000), ["ix_document_created_at"]),
        (slices.DELIVERED, (*hour, 2000, "send"), ["ix_delivery_action_settled_at"]),
        (slices.CONFIRMED, (*hour, 2000), ["ix_confirmation_at"]),
        (slices.INTERCHANGES, (*hour, 2000, "scope"), ["ix_interchange_scope_received_at"]),
    ):
        await by_index(ledger)
        plan = await ledger.exec_driver_sql(f"EXPLAIN {query}", parameters)
        text = "\n".join(plan.scalars())
        assert all(index in text for index in indexes), text
        assert "Seq Scan" not in text


async def test_a_slice_holds_so_many_rows_and_the_slices_all_of_them(
    ledger: AsyncConnection,
) -> None:
    # Three documents a second.
    begins = NOW - timedelta(days=2, seconds=ORDERS)
    counted = "SELECT count(*) FROM document WHERE created_at >= $1 AND created_at < $2"
    sizes, ends = [], [begins]
    async for since, until in slices.slices(ledger, slices.DOCUMENTS, (begins, slices.upto(NOW))):
        assert since == ends[-1]
        sizes.append(
            await ledger.scalar(
                sa.text(counted.replace("$1", ":a").replace("$2", ":b")), {"a": since, "b": until}
            )
        )
        ends.append(until)
    assert ends[-1] == slices.upto(NOW)
    assert sum(sizes) == 3 * ORDERS - 1
    assert max(sizes) <= slices.MOST + 3


async def test_the_one_invoice_that_is_missing_among_many_is_found_and_no_other(
    engine: AsyncEngine,
) -> None:
    report = await Reconciler(engine, SITE, Now()).run(JOB, heal=False)
    assert (report.found, report.opened) == (1, 1)
    async with engine.begin() as ledger:
        (found,) = (await ledger.execute(sa.delete(finding).returning(finding))).mappings()
    assert found["subject"] == f"order/acme/PO-{MISSING}/"
    assert (found["amount"], found["details"]) == (Decimal(70), {f"SKU-{MISSING % 500}": "7"})
