"""Whatever goes wrong and however often: one order per reference, one posting per shipment.

Every request may meet a fault, drawn by seed: an answer lost after the effect, a request lost
before it, refusals to answer now, pages that are not the API's. The drive is what the hub does:
ask after a doubt, send again after an error that says that nothing took effect.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from random import Random
from typing import TYPE_CHECKING

import httpx
import pytest

from canonical.errors import InDoubt, Retryable
from connectors.base import Outbound, Settled
from tests.support.business_central import ORDER, Network, outbound, shipment

if TYPE_CHECKING:
    from connectors.business_central.client import BusinessCentralClient
    from tests.unit.connectors.business_central.conftest import Target

FAULT_RATE = 0.25
MOST_TRIES = 200


class Faulty(Network):
    """A network on which every fourth request goes wrong in some way."""

    def __init__(self, inner: httpx.AsyncBaseTransport, seed: int) -> None:
        super().__init__(inner)
        self._random = Random(seed)  # noqa: S311  # only has to repeat

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self._random.random() >= FAULT_RATE:
            return await super().handle_async_request(request)
        kind = self._random.randrange(8)
        if kind == 0:
            return await self._lose(request)
        if kind == 1:
            raise httpx.ReadError("before", request=request)
        if kind == 2:
            raise httpx.ConnectError("no", request=request)
        return [
            httpx.Response(429),
            httpx.Response(503),
            httpx.Response(504),
            httpx.Response(200, html="<html>Sign in</html>"),
            httpx.Response(200, json={"error": {"code": "Internal_ServerError"}}),
        ][kind - 3]


async def drive(client: BusinessCentralClient, delivery: Outbound) -> Settled:
    """Deliver as the hub does, until it settles."""
    in_doubt = False
    for _ in range(MOST_TRIES):
        try:
            found = await client.look_up(delivery) if in_doubt else None
            in_doubt = False
            return found or await client.deliver(delivery)
        except InDoubt:
            in_doubt = True
        except Retryable:
            continue
    raise AssertionError("it never settled")


@pytest.mark.parametrize("seed", range(12))
async def test_an_orders_whole_life_under_faults_has_every_effect_once(
    target: Target, seed: int
) -> None:
    target.network = Faulty(target.network.inner, seed)
    client = target.client()
    await drive(client, outbound("create_order", ORDER, id_="d-1"))
    change = {
        "kind": "change",
        "lines": [
            {"action": "change", "line_number": "1", "quantity": "4"},
            {"action": "delete", "line_number": "3", "item_number": "1928-S"},
            {"action": "add", "line_number": "4", "item_number": "1928-S", "quantity": "3"},
        ],
    }
    await drive(client, outbound("change_order", change, id_="d-2"))
    equal = [shipment(f"S{n}", ("1", "1896-S", "1"), ("2", "1928-S", "2")) for n in range(4)]
    rest = shipment("S9", ("2", "1928-S", "2"), ("4", "1928-S", "3"))
    await asyncio.gather(
        *(
            drive(client, outbound("post_shipment", body, id_=f"s-{n}"))
            for n, body in enumerate([*equal, rest])
        )
    )
    assert target.rows("orders") == []
    assert target.books.orders_ever == 1
    expected = Counter({("1896-S", "1"): 4, ("1928-S", "2"): 5, ("1928-S", "3"): 1})
    assert Counter(target.posted("shipment_lines")) == expected
    assert Counter(target.posted("invoice_lines")) == expected
    assert len(target.rows("shipments")) == 5
