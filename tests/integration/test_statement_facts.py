"""A target's own list of any length, read by the page, on a real ledger."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.ledger import findings
from hub.ledger.engine import open_engine
from hub.ledger.slices import MOST
from hub.ledger.tables import finding, statement, statement_entry
from hub.reconcile import statement_facts

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
LISTED = 2 * MOST + 1
AGAIN = {f"R{n:05}" for n in (0, MOST - 2, MOST - 1, MOST, 2 * MOST)}
"""References that are listed twice: the first, the last, and those where pages end."""


@pytest.fixture
async def ledger(database: str) -> AsyncIterator[AsyncConnection]:
    engine = open_engine(database)
    async with engine.connect() as connection:
        yield connection
    await engine.dispose()


def entry(external_id: str, reference: str | None, **more: Any) -> dict[str, Any]:
    key = {"target": "bc", "action": "create_order", "external_id": external_id}
    return key | {"reference": reference, "amount": None, "currency": None} | more


async def given(ledger: AsyncConnection, rows: list[dict[str, Any]], target: str = "bc") -> None:
    said = {"since": NOW, "until": NOW, "loaded_at": NOW, "actor": "ann"}
    await ledger.execute(sa.insert(statement).values(target=target, action="create_order", **said))
    await ledger.execute(sa.insert(statement_entry), [row | {"target": target} for row in rows])


async def test_what_is_listed_twice_is_found_wherever_pages_end(ledger: AsyncConnection) -> None:
    rows = [entry(f"E{n:05}", f"R{n:05}") for n in range(LISTED)]
    money = {"amount": Decimal(7), "currency": "USD"}
    rows += [entry(f"F-{reference}", reference, **money) for reference in AGAIN]
    rows += [entry("none-1", None), entry("none-2", None), entry("no-1", ""), entry("no-2", "")]
    await given(ledger, rows)
    found = await statement_facts.listed_twice(ledger)
    assert {each.of for each in found} == AGAIN
    assert {each.external_ids for each in found} == {
        (f"E{reference[1:]}", f"F-{reference}") for reference in AGAIN
    }
    assert {(each.amount, each.currency, each.at, each.listed) for each in found} == {
        (Decimal(7), "USD", NOW, True)
    }


async def test_the_same_reference_on_lists_of_two_targets_is_no_second_effect(
    ledger: AsyncConnection,
) -> None:
    await given(ledger, [entry("E1", "R1")])
    await given(ledger, [entry("E1", "R1")], "nav")
    assert await statement_facts.listed_twice(ledger) == []


async def test_a_list_is_read_whole_and_in_order(ledger: AsyncConnection) -> None:
    await given(ledger, [entry(f"E{n:05}", None) for n in reversed(range(LISTED))])
    (said,) = await statement_facts.statements(ledger)
    read = await statement_facts.entries(ledger, said)
    assert [each.external_id for each in read] == [f"E{n:05}" for n in range(LISTED)]


async def test_findings_are_listed_whole_and_in_order_however_many_there_are(
    ledger: AsyncConnection,
) -> None:
    rows = [
        {
            "id": f"f{n:05}", "job": "price-drift", "subject": f"s{n}", "cause": "", "remedy": "",
            "state": "open", "since": NOW, "opened_at": NOW, "last_seen_at": NOW, "details": {},
        }
        for n in range(2500)
    ]  # fmt: skip
    await ledger.execute(sa.insert(finding), rows)
    for limit, many in ((None, 2500), (2500, 2500), (1000, 1000), (1001, 1001), (3, 3), (0, 0)):
        listed = await findings.listing(ledger, limit=limit, state="open")
        assert [each["id"] for each in listed] == [f"f{n:05}" for n in range(many)]
