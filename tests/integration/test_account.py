"""The account of what was received, as `crossdock account` shows it."""

from __future__ import annotations

from hub.ledger import account
from hub.ledger.engine import open_engine
from tests.support.deliveries import Books

ENTITIES = ("shipment", "unknown", "invoice", "customer", "tracking", "order", "item")


async def test_the_account_comes_in_the_same_order_every_time(database: str) -> None:
    engine = open_engine(database)
    books = Books(engine)
    for entity in ENTITIES:
        await books.document(
            entity, entity=entity, state="accepted", business_key=f"{entity}/acme/1/"
        )
    async with engine.connect() as ledger:
        found = await account.balances(ledger)
    await engine.dispose()
    assert list(found) == [*sorted(ENTITIES), "total"]
