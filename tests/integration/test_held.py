"""What a person sees of a hold: its items, what a conflict changes, what the target will refuse."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from hub.cli.hold import app
from hub.ledger.tables import document, hold
from hub.servers.addresses import Addresses
from tests.support.dead_letters import Shell, shell
from tests.support.ledgers import Dock, dock, normalized, order


@pytest.fixture
async def at(addresses: Addresses, tmp_path: Path) -> AsyncIterator[Dock]:
    async with dock(addresses, tmp_path) as opened:
        await opened.stock()
        yield opened


@pytest.fixture
def desk(addresses: Addresses, tmp_path: Path) -> Shell:
    return shell(app, tmp_path, addresses)


async def conflict(at: Dock) -> None:
    """An order, and the same number again with another quantity."""
    await at.take_in(normalized("order", order()))
    await at.take_in(normalized("order", order(quantity="7")))


async def shipment(at: Dock) -> None:
    """The order has been shipped."""
    row: dict[str, Any] = dict((await at.rows(document))[-1])
    of_it = {"id": "s-1", "entity": "shipment", "business_key": "shipment/x/1/", "version": 1}
    async with at.engine.begin() as ledger:
        await ledger.execute(sa.insert(document).values(**row | of_it | {"state": "delivered"}))


async def test_a_conflict_is_shown_field_by_field(at: Dock, desk: Shell) -> None:
    await conflict(at)
    shown = await desk.json("show", "PO-1")
    assert shown["differences"] == [
        {"where": "lines[0].quantity.value", "in_force": "2", "held": "7"}
    ]
    assert shown["warnings"] == []
    table = await desk.run("show", "PO-1")
    assert "lines[0].quantity.value" in table.stdout


async def test_a_reason_names_the_item_of_its_line(at: Dock, desk: Shell) -> None:
    await at.take_in(normalized("order", order(quantity="500")))
    shown = await desk.json("show", "PO-1")
    assert [(each["code"], each["item"]) for each in shown["reasons"]] == [("stock_short", "A")]
    assert shown["differences"] == []


async def test_a_change_to_a_shipped_order_is_not_released_without_a_word(
    at: Dock, desk: Shell
) -> None:
    await conflict(at)
    await shipment(at)
    assert (await desk.json("show", "PO-1"))["warnings"] == ["order_shipped"]
    refused = await desk.run("release", "PO-1", "--reason", "agreed")
    assert refused.exit_code == 4
    assert "order_shipped" in refused.output
    assert [row["state"] for row in await at.rows(hold)] == ["open"]
    done = await desk.run("release", "PO-1", "--reason", "agreed", "--anyway")
    assert done.exit_code == 0
    assert [row["state"] for row in await at.rows(hold)] == ["released"]


async def test_no_hold_at_all_is_an_exit_code_of_its_own(at: Dock, desk: Shell) -> None:
    del at
    for arguments in (("ls",), ("ls", "--output", "json")):
        result = await desk.run(*arguments)
        assert result.exit_code == 3
    assert result.stdout.strip() == "[]"
