"""Reference snapshots: what the control points get to see of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import orjson
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.ledger import reference
from hub.ledger.engine import open_engine
from hub.ledger.reference import Known
from hub.ledger.reference_view import Needed, ReferenceView

ITEM = {"number": "A", "base_unit": "EA", "list_price": {"amount": "10", "currency": "USD"}}


@pytest.fixture
async def ledger(database: str) -> AsyncIterator[AsyncConnection]:
    engine = open_engine(database)
    async with engine.begin() as connection:
        yield connection
    await engine.dispose()


def row(entity: str, canonical: dict[str, Any], sequence: int = 1, said: str = "c1") -> Any:
    return {
        "connection": "bc",
        "entity": entity,
        "number": canonical["number"] + ("@MAIN" if entity == "inventory" else ""),
        "sequence": sequence,
        "content_id": said,
        "canonical": orjson.dumps(canonical).decode(),
        "seen_at": datetime(2026, 5, 5, tzinfo=UTC),
    }


async def look(
    ledger: AsyncConnection, items: set[str], known: Known | None = None
) -> ReferenceView:
    needed = Needed(frozenset({"C1"}), frozenset(items))
    return await reference.view(ledger, "bc", needed, known)


async def test_customers_items_and_their_stock_are_seen(ledger: AsyncConnection) -> None:
    stock = {
        "number": "A",
        "item": {"seller_sku": "A"},
        "on_hand": {"value": "7", "unit": "EA"},
    }
    rows = [row("customer", {"number": "C1", "name": "Acme"}), row("item", ITEM)]
    await reference.save(ledger, [*rows, row("inventory", stock)])
    seen = await look(ledger, {"A", "B"})
    assert (list(seen.customers), list(seen.items), list(seen.stock)) == (["C1"], ["A"], ["A"])
    assert seen.stock["A"].on_hand.value == Decimal(7)


async def test_other_connections_data_does_not_count(ledger: AsyncConnection) -> None:
    await reference.save(ledger, [row("item", ITEM) | {"connection": "other"}])
    assert (await look(ledger, {"A"})).items == {}


async def test_what_was_read_before_is_not_read_again(ledger: AsyncConnection) -> None:
    known = Known()
    await reference.save(ledger, [row("item", ITEM)])
    first = await look(ledger, {"A"}, known)
    assert (await look(ledger, {"A"}, known)).items["A"] is first.items["A"]


async def test_what_says_something_else_by_now_is_read_again(ledger: AsyncConnection) -> None:
    known = Known()
    await reference.save(ledger, [row("item", ITEM)])
    await look(ledger, {"A"}, known)
    await reference.save(ledger, [row("item", ITEM | {"blocked": True}, 2, "c2")])
    assert (await look(ledger, {"A"}, known)).items["A"].blocked


async def test_what_is_gone_is_not_remembered(ledger: AsyncConnection) -> None:
    known = Known()
    await reference.save(ledger, [row("item", ITEM)])
    await look(ledger, {"A"}, known)
    await ledger.exec_driver_sql("DELETE FROM reference")
    assert (await look(ledger, {"A"}, known)).items == {}


async def test_more_snapshots_than_are_kept_are_all_seen(ledger: AsyncConnection) -> None:
    known = Known(most=3)
    numbers = {f"N{n}" for n in range(10)}
    await reference.save(ledger, [row("item", ITEM | {"number": n}) for n in numbers])
    for _ in range(2):
        assert set((await look(ledger, numbers, known)).items) == numbers
    assert set((await look(ledger, {"N1", "N5"}, known)).items) == {"N1", "N5"}


async def test_what_was_never_read_is_told_from_what_is_not_there(ledger: AsyncConnection) -> None:
    other = row("customer", {"number": "C1", "name": "Acme"}) | {"connection": "other"}
    await reference.save(ledger, [other])
    assert (await look(ledger, {"A"})).unread == {"customer", "item", "inventory"}
    await reference.save(ledger, [row("customer", {"number": "C2", "name": "Contoso"})])
    await reference.save(ledger, [row("item", ITEM)])
    assert (await look(ledger, {"B"})).unread == {"inventory"}
