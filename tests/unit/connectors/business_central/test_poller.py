"""Polling: every change is seen, unchanged pages are not taken in again, links do not lead away."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import httpx
import pytest
import respx

from canonical.errors import Retryable
from connectors.base import Json, Page
from connectors.business_central.client import BusinessCentralClient
from connectors.business_central.config import BusinessCentralConfig
from connectors.business_central.poller import BusinessCentralPoller
from tests.support.business_central import (
    COMPANY_URL,
    ORDER,
    ManualClock,
    options,
    outbound,
    shipment,
)

if TYPE_CHECKING:
    from tests.unit.connectors.business_central.conftest import Target

ITEMS = f"{COMPANY_URL}/items"
CUSTOMERS = f"{COMPANY_URL}/customers"


def poller(config: BusinessCentralConfig | None = None) -> BusinessCentralPoller:
    return BusinessCentralPoller(config or options(), clocks=ManualClock().clocks())


async def pages(it: BusinessCentralPoller, flow: str, cursor: str = "") -> list[Page]:
    return [page async for page in it.poll(flow, cursor)]


def numbers(found: list[Page]) -> list[str]:
    return [row["number"] for page in found for row in json.loads(page.body)["value"]]


def at(minute: int, **more: object) -> Json:
    return {"number": str(minute), "lastModifiedDateTime": f"2026-05-05T10:{minute:02}:00Z", **more}


def answer(*rows: Json, link: str | None = None) -> httpx.Response:
    body: Json = {"value": list(rows)}
    return httpx.Response(200, json=body if link is None else {**body, "@odata.nextLink": link})


async def test_all_pages_of_a_real_collection_come(target: Target) -> None:
    it = BusinessCentralPoller(
        target.config, transport=target.network, clocks=target.clock.clocks()
    )
    found = await pages(it, "items")
    assert numbers(found) == sorted(row["number"] for row in target.rows("items"))
    assert len(found) == 3
    assert numbers(await pages(it, "customers")) == ["C10010", "C10020", "C10030", "C10040"]


async def test_a_posted_invoice_comes_with_its_lines(target: Target) -> None:
    client = BusinessCentralClient(target.config, transport=target.network)
    it = BusinessCentralPoller(
        target.config, transport=target.network, clocks=target.clock.clocks()
    )
    (empty,) = await pages(it, "salesInvoices")
    await client.deliver(outbound("create_order", ORDER))
    await client.deliver(outbound("post_shipment", shipment("S1", ("2", "1928-S", "4"))))
    (page,) = await pages(it, "salesInvoices", empty.cursor)
    (row,) = json.loads(page.body)["value"]
    assert [line["quantity"] for line in row["salesInvoiceLines"]] == [0, 4, 0]
    assert await pages(it, "salesInvoices", page.cursor) == []


async def test_stock_that_moves_and_comes_back_is_seen_each_time(target: Target) -> None:
    it = BusinessCentralPoller(
        target.config, transport=target.network, clocks=target.clock.clocks()
    )

    def stock(change: int) -> None:
        item = target.books.item("1896-S")
        assert item is not None
        target.books.items.put(item | {"inventory": item["inventory"] + Decimal(change)})

    first = await pages(it, "items")
    cursor = first[-1].cursor
    assert await pages(it, "items", cursor) == []
    seen = set()
    for change in (-3, 3):
        stock(change)
        (page,) = await pages(it, "items", cursor)
        cursor = page.cursor
        seen.add(page.body)
    assert first[0].body in seen


@respx.mock
async def test_a_change_is_asked_for_from_a_little_before_the_newest_stamp() -> None:
    route = respx.get(CUSTOMERS).mock(return_value=answer(at(1), at(30)))
    (page,) = await pages(poller(), "customers")
    assert "$filter" not in route.calls.last.request.url.params

    respx.get(CUSTOMERS).mock(return_value=answer(at(30)))
    await pages(poller(), "customers", page.cursor)
    params = route.calls.last.request.url.params
    assert params["$filter"] == "lastModifiedDateTime ge 2026-05-05T10:29:00Z"
    assert params["$orderby"] == "lastModifiedDateTime"
    assert route.calls.last.request.headers["Prefer"] == "odata.maxpagesize=1000"


@respx.mock
async def test_invoices_can_start_late() -> None:
    route = respx.get(f"{COMPANY_URL}/salesInvoices").mock(return_value=answer())
    since = datetime(2026, 1, 1, tzinfo=UTC)
    await pages(poller(options(invoices_since=since)), "salesInvoices")
    params = route.calls.last.request.url.params
    assert params["$filter"] == "lastModifiedDateTime ge 2026-01-01T00:00:00Z"
    assert params["$expand"] == "salesInvoiceLines"


@respx.mock
async def test_an_unchanged_page_is_not_taken_in_again_by_any_replica() -> None:
    respx.get(CUSTOMERS).mock(return_value=answer(at(1)))
    (page,) = await pages(poller(), "customers")
    assert await pages(poller(), "customers", page.cursor) == []

    respx.get(CUSTOMERS).mock(return_value=answer(at(1), at(2)))
    (changed,) = await pages(poller(), "customers", page.cursor)
    assert changed.delivery_id != page.delivery_id


@respx.mock
async def test_the_same_page_polled_twice_is_the_same_delivery() -> None:
    respx.get(CUSTOMERS).mock(return_value=answer(at(1)))
    (first,) = await pages(poller(), "customers")
    (again,) = await pages(poller(), "customers")
    assert first.delivery_id == again.delivery_id
    assert first.delivery_id.startswith("customers:2026-05-05T10:01:00Z:")


@respx.mock
async def test_a_poll_that_breaks_goes_on_behind_the_last_page_taken_in() -> None:
    second = f"{CUSTOMERS}?$skiptoken=x"
    respx.get(second).mock(return_value=httpx.Response(429))
    respx.get(CUSTOMERS).mock(return_value=answer(at(1), at(2), link=second))
    poll = poller().poll("customers", "")
    page = await anext(poll)
    with pytest.raises(Retryable, match="throttled"):
        await anext(poll)
    assert page.cursor.startswith("2026-05-05T10:02:00Z ")


@respx.mock
async def test_a_page_out_of_order_moves_the_cursor_only_at_the_end() -> None:
    second = f"{CUSTOMERS}?$skiptoken=x"
    respx.get(second).mock(return_value=answer(at(4)))
    respx.get(CUSTOMERS).mock(return_value=answer(at(9), at(2), link=second))
    first, last = await pages(poller(), "customers", "2026-05-05T10:01:00Z ")
    assert first.cursor.startswith("2026-05-05T10:01:00Z ")
    assert last.cursor.startswith("2026-05-05T10:04:00Z ")


@respx.mock
@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/api/v2.0/companies(x)/items",
        "http://localhost.evil.example/api/v2.0/x",
        "http://localhost:8081/api/v2.0/x",
        "//localhost/api/v2.0/x",
        COMPANY_URL.replace("http://", "http://user@") + "/items",
        COMPANY_URL.replace("http://", "https://") + "/items",
        "/relative",
        "http://[bad/",
        7,
    ],
)
async def test_a_link_that_leads_elsewhere_is_not_followed(link: str) -> None:
    respx.get(ITEMS).mock(return_value=answer(at(1), link=link))
    with pytest.raises(Retryable, match="link_elsewhere"):
        await pages(poller(), "items")
    assert len(respx.calls) == 1, "the page itself is good, its link is not followed"


@respx.mock
async def test_a_poll_that_never_ends_is_ended() -> None:
    respx.get(ITEMS).mock(return_value=answer(at(1), link=ITEMS))
    with pytest.raises(Retryable, match="too_many_pages"):
        await pages(poller(options(max_pages=3)), "items")
    assert len(respx.calls) == 3


@respx.mock
@pytest.mark.parametrize("body", [{"value": {}}, {"value": [1]}, {}])
async def test_something_else_than_a_collection_is_not_the_api(body: Json) -> None:
    respx.get(ITEMS).mock(return_value=httpx.Response(200, json=body))
    with pytest.raises(Retryable, match="not_the_api"):
        await pages(poller(), "items")


@pytest.mark.parametrize(
    ("flow", "cursor", "code"),
    [("vendors", "", "flow_unknown"), ("customers", "yesterday", "cursor_unknown")],
)
async def test_what_cannot_be_polled_says_so(flow: str, cursor: str, code: str) -> None:
    with pytest.raises(Retryable, match=code):
        await pages(poller(), flow, cursor)


async def test_closing_twice_is_fine() -> None:
    it = poller()
    await it.close()
    await it.close()
