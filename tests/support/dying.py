"""Documents that die, and the letters that they leave, for tests of what people do about them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from canonical.errors import Rejected
from connectors.base import Receipt
from hub.dead_letters import replay as replaying
from hub.delivery.role import DeliverRole
from hub.ledger.tables import (
    dead_letter,
)
from hub.release.holds import Act
from tests.support.dead_letters import Servers, hub
from tests.support.deliveries import (
    Books,
    fails_with,
    parts,
    running,
    spec,
    until,
)
from tests.support.paper import ORDER, paper_order, paper_receipt, paper_spec

BROKEN = '$fail("terms_unknown", "lines[0].unit", "the unit is in no list")'
REPAIRED = ORDER


def act(actor: str = "ann") -> Act:
    return Act(actor, "the customer was created", datetime.now(UTC))


def role(at: Servers, **changes: Any) -> DeliverRole:
    return DeliverRole(spec(at.target, **changes), parts(at.engine))


async def dead(at: Servers, books: Books, number: str = "1", **changes: Any) -> dict[str, Any]:
    """Let an order die of a refusal; its letter."""
    at.target.script.append(fails_with(Rejected("customer_unknown", "customerNumber")))
    one = await books.order(number)
    async with running(role(at, **changes)):
        await until(books, one, "dead")
    return await books.row(dead_letter, delivery_id=one)


async def begin(at: Servers, letter: dict[str, Any], by: str = "ann") -> None:
    async with at.engine.begin() as ledger:
        await replaying.begin(ledger, letter["id"], act(by))


async def letter_now(books: Books, letter: dict[str, Any]) -> dict[str, Any]:
    return await books.row(dead_letter, id=letter["id"])


def slip(po: str) -> dict[str, Any]:
    """A document of the flow whose mapping is broken."""
    return paper_order(po) | {"flow": "slip"}


async def failed_slips(at: Servers, *documents: dict[str, Any], **rest: Any) -> Receipt:
    """Take in a receipt with the mapping of `slip` broken; wait until its slips are dead."""
    taken = paper_receipt(*documents, **rest)
    await at.take_in(taken)
    slips = sum(each["flow"] == "slip" for each in documents)
    async with hub(at, paper_spec(slip=BROKEN)):
        await at.until_letters(slips, state="open", stage="map")
    return taken


async def begin_all(at: Servers) -> list[dict[str, Any]]:
    found = await at.letters(state="open")
    for letter in found:
        await begin(at, letter)
    return found
