"""What the target has of an order, told in our own words, so that it can be compared."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING

from connectors.base import Comparable
from hub.differences import beyond
from tests.support.business_central import ORDER, outbound, shipment

if TYPE_CHECKING:
    from tests.unit.connectors.business_central.conftest import Target

CREATE = outbound("create_order", ORDER)


async def test_an_order_that_is_there_as_it_was_sent_differs_in_nothing(target: Target) -> None:
    client = target.client()
    assert isinstance(client, Comparable)
    await client.deliver(CREATE)
    there = await client.at_target(CREATE)
    assert beyond(ORDER, there) == []


async def test_what_somebody_changed_there_is_named(target: Target) -> None:
    client = target.client()
    await client.deliver(CREATE)
    wanted = deepcopy(ORDER)
    wanted["salesOrderLines"][1]["quantity"] = "11"
    wanted["customerNumber"] = "C10020"
    found = beyond(wanted, await client.at_target(CREATE))
    assert [each.where for each in found] == ["customerNumber", "salesOrderLines[1].quantity"]


async def test_what_is_not_there_or_is_no_order_cannot_be_compared(target: Target) -> None:
    client = target.client()
    assert await client.at_target(CREATE) is None
    other = outbound("post_shipment", shipment("S-1", ("1", "1896-S", "2")))
    assert await client.at_target(other) is None
