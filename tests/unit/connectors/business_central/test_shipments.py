"""Posting shipments: each exactly once, the right quantities, whatever happens on the way."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import httpx
import pytest

from canonical.errors import InDoubt, Rejected, Retryable
from connectors.base import Json, Outbound
from sandbox.world import CAUSED_BY
from tests.support.business_central import ORDER, REFERENCE, outbound, shipment

if TYPE_CHECKING:
    from connectors.business_central.client import BusinessCentralClient
    from tests.unit.connectors.business_central.conftest import Target

POSTING = "shipAndInvoice"
TWO_LAMPS = ("2", "1928-S", "2")


def post(body: Json, id_: str = "d-2") -> Outbound:
    return outbound("post_shipment", body, id_=id_)


def invoice(body: Json) -> Outbound:
    return outbound("invoice_shipment", body, id_="d-3")


@pytest.fixture
async def client(target: Target) -> BusinessCentralClient:
    """A client whose order is there."""
    client = target.client()
    await client.deliver(outbound("create_order", ORDER))
    return client


async def test_a_shipment_is_shipped_and_invoiced_by_its_quantities(
    target: Target, client: BusinessCentralClient
) -> None:
    body = shipment("S1", ("1", "1896-S", "2"), ("2", "1928-S", "4"))
    settled = await client.deliver(post(body))

    assert target.posted("shipment_lines") == [("1896-S", "2"), ("1928-S", "4")]
    assert target.posted("invoice_lines") == [("1896-S", "2"), ("1928-S", "4")]
    (posted,) = target.rows("shipments")
    assert settled.external_id == posted["number"]
    assert settled.facts == {"shipment": posted["number"], "order": posted["orderNumber"]}


async def test_two_equal_partial_shipments_are_two_postings(
    target: Target, client: BusinessCentralClient
) -> None:
    await client.deliver(post(shipment("S1", TWO_LAMPS), "d-2"))
    assert await client.look_up(post(shipment("S2", TWO_LAMPS), "d-3")) is None
    await client.deliver(post(shipment("S2", TWO_LAMPS), "d-3"))
    assert target.posted("shipment_lines") == [("1928-S", "2"), ("1928-S", "2")]


async def test_a_lost_answer_of_the_second_of_two_equal_shipments_is_found(
    target: Target, client: BusinessCentralClient
) -> None:
    await client.deliver(post(shipment("S1", TWO_LAMPS), "d-2"))
    second = post(shipment("S2", TWO_LAMPS), "d-3")
    target.network.lose_answer("POST", POSTING)
    with pytest.raises(InDoubt, match="answer_lost"):
        await client.deliver(second)

    found = await client.look_up(second)
    assert found is not None
    assert found.external_id == target.rows("shipments")[1]["number"]


async def test_a_posting_that_never_arrived_is_not_found_and_then_posted_once(
    target: Target, client: BusinessCentralClient
) -> None:
    once = post(shipment("S1", TWO_LAMPS))
    target.network.answer("POST", POSTING, httpx.Response(504))
    with pytest.raises(InDoubt):
        await client.deliver(once)
    assert await client.look_up(once) is None
    await client.deliver(once)
    assert target.posted("shipment_lines") == [("1928-S", "2")]


async def test_posting_again_without_asking_still_posts_once(
    target: Target, client: BusinessCentralClient
) -> None:
    once = post(shipment("S1", TWO_LAMPS))
    first = await client.deliver(once)
    assert await client.deliver(once) == first
    assert target.posted("shipment_lines") == [("1928-S", "2")]


async def test_posting_the_whole_order_again_finds_it_though_the_order_is_gone(
    target: Target, client: BusinessCentralClient
) -> None:
    whole = post(shipment("S1", ("1", "1896-S", "2"), ("", "1928-S", "15")))
    first = await client.deliver(whole)
    assert target.rows("orders") == []
    assert await client.deliver(whole) == first
    assert await client.look_up(whole) == first


async def test_a_shipment_of_a_closed_order_is_refused(client: BusinessCentralClient) -> None:
    whole = shipment("S1", ("1", "1896-S", "2"), ("", "1928-S", "15"))
    await client.deliver(post(whole))
    with pytest.raises(Rejected, match="order_closed_at_target"):
        await client.deliver(post(shipment("S2", TWO_LAMPS), "d-3"))


async def test_a_shipment_before_its_order_waits(target: Target) -> None:
    with pytest.raises(Retryable, match="order_not_at_target"):
        await target.client().deliver(post(shipment("S1", TWO_LAMPS)))


async def test_two_orders_under_one_reference_are_for_a_person(
    target: Target, client: BusinessCentralClient
) -> None:
    await client.deliver(outbound("create_order", ORDER, id_="d-9"))
    with pytest.raises(Rejected, match="reference_ambiguous"):
        await client.deliver(post(shipment("S1", TWO_LAMPS)))
    assert target.posted("shipment_lines") == []


async def test_shipments_of_one_order_take_turns(
    target: Target, client: BusinessCentralClient
) -> None:
    bodies = [shipment(f"S{n}", TWO_LAMPS) for n in range(5)]
    await asyncio.gather(*(client.deliver(post(body, f"d-{n}")) for n, body in enumerate(bodies)))
    assert target.posted("shipment_lines") == [("1928-S", "2")] * 5
    notes = {row["description2"] for row in target.rows("shipment_lines") if row["quantity"]}
    assert notes == {f"LINE 2 SHIPMENT S{n}" for n in range(5)}


async def test_an_etag_gone_stale_is_read_again_once(
    target: Target, client: BusinessCentralClient
) -> None:
    other = target.client()
    change = {"kind": "change", "lines": [line("change", "1", "1896-S", "3")]}

    async def somebody_changes_the_first_line() -> None:
        await other.deliver(outbound("change_order", change, id_="d-8"))

    target.network.before("PATCH", "salesOrderLines", somebody_changes_the_first_line)
    body = shipment("S1", ("1", "1896-S", "1"), TWO_LAMPS)
    await client.deliver(post(body))
    assert target.posted("shipment_lines") == [("1896-S", "1"), ("1928-S", "2")]


async def test_a_stale_etag_of_the_order_itself_is_read_again_once(
    target: Target, client: BusinessCentralClient
) -> None:
    target.network.answer("PATCH", "/salesOrders(", httpx.Response(412))
    await client.deliver(post(shipment("S1", TWO_LAMPS)))
    assert target.rows("orders")[0]["postingDate"] == "2026-05-06"

    for _ in range(2):
        target.network.answer("PATCH", "/salesOrders(", httpx.Response(412))
    late = shipment("S2", TWO_LAMPS, posting_date="2026-05-07")
    with pytest.raises(Retryable, match="etag_stale"):
        await client.deliver(post(late, "d-7"))


async def test_an_order_that_vanishes_on_the_way_is_left_for_later(
    target: Target, client: BusinessCentralClient
) -> None:
    other = target.client()
    cancel = outbound("change_order", {"kind": "cancel", "lines": []}, id_="d-8")

    async def somebody_cancels() -> None:
        await other.deliver(cancel)

    async def cancelled_just_before() -> httpx.Response:
        await somebody_cancels()
        return httpx.Response(412)

    target.network.faults.append(("PATCH", "/salesOrders(", lambda _: cancelled_just_before()))
    with pytest.raises(Retryable, match="the order has just gone"):
        await client.deliver(post(shipment("S1", TWO_LAMPS)))


async def test_a_date_that_is_not_kept_stops_the_posting(
    target: Target, client: BusinessCentralClient
) -> None:
    other_day = httpx.Response(200, json={"id": "x", "postingDate": "2026-01-01"})
    target.network.answer("PATCH", "/salesOrders(", other_day)
    with pytest.raises(Rejected, match="setting_not_kept at postingDate"):
        await client.deliver(post(shipment("S1", TWO_LAMPS)))
    assert target.network.count("POST", POSTING) == 0


async def test_quantities_that_are_not_kept_stop_the_posting(
    target: Target, client: BusinessCentralClient
) -> None:
    body = {"id": "x", "shipQuantity": 1, "invoiceQuantity": 1}
    target.network.answer("PATCH", "salesOrderLines", httpx.Response(200, json=body))
    with pytest.raises(Rejected, match="setting_not_kept at shipQuantity"):
        await client.deliver(post(shipment("S1", TWO_LAMPS)))
    assert target.network.count("POST", POSTING) == 0


@pytest.mark.parametrize(
    "body",
    [
        {"value": [{"id": "x", "number": "1", "@odata.etag": "e"}]},
        {"value": [{"id": "", "number": "1", "@odata.etag": "e", "salesOrderLines": []}]},
        {"value": {}},
        {
            "value": [
                {
                    "id": "x",
                    "number": "1",
                    "@odata.etag": "e",
                    "salesOrderLines": [{"id": "l", "@odata.etag": "e", "quantity": "many"}],
                }
            ]
        },
    ],
)
async def test_an_order_that_is_not_told_whole_is_not_the_api(target: Target, body: Json) -> None:
    target.network.answer("GET", "/salesOrders", httpx.Response(200, json=body))
    with pytest.raises(Retryable, match="not_the_api"):
        await target.client().deliver(post(shipment("S1", TWO_LAMPS)))


@pytest.mark.parametrize("status", [409, 412])
async def test_an_etag_that_stays_stale_is_left_for_later(
    target: Target, client: BusinessCentralClient, status: int
) -> None:
    stale = httpx.Response(status, json={"error": {"code": "Request_EntityChanged"}})
    target.network.answer("PATCH", "salesOrderLines", stale)
    target.network.answer("PATCH", "salesOrderLines", stale)
    with pytest.raises(Retryable, match="etag_stale"):
        await client.deliver(post(shipment("S1", TWO_LAMPS)))
    assert target.posted("shipment_lines") == []


async def test_a_lost_answer_while_lines_are_set_is_no_doubt(
    target: Target, client: BusinessCentralClient
) -> None:
    once = post(shipment("S1", TWO_LAMPS))
    target.network.lose_answer("PATCH", "salesOrderLines")
    with pytest.raises(Retryable, match="answer_lost"):
        await client.deliver(once)
    assert target.network.count("POST", POSTING) == 0
    await client.deliver(once)
    assert target.posted("shipment_lines") == [("1928-S", "2")]


async def test_nothing_is_posted_where_a_line_does_not_keep_our_note(
    target: Target, client: BusinessCentralClient
) -> None:
    line_ = {"id": "x", "shipQuantity": 0, "invoiceQuantity": 0, "description2": ""}
    target.network.answer("PATCH", "salesOrderLines", httpx.Response(200, json=line_))
    target.network.answer(
        "PATCH",
        "salesOrderLines",
        httpx.Response(200, json=line_ | {"shipQuantity": 2, "invoiceQuantity": 2}),
    )
    with pytest.raises(Rejected, match="setting_not_kept at description2"):
        await client.deliver(post(shipment("S1", TWO_LAMPS)))
    assert target.network.count("POST", POSTING) == 0


async def test_an_error_body_behind_a_200_is_not_a_success(
    target: Target, client: BusinessCentralClient
) -> None:
    error = {"error": {"code": "Internal_ServerError", "message": "no"}}
    target.network.answer("POST", POSTING, httpx.Response(200, json=error))
    with pytest.raises(InDoubt, match="not_the_api"):
        await client.deliver(post(shipment("S1", TWO_LAMPS)))


async def test_a_posting_of_somebody_elses_quantities_is_in_doubt(
    target: Target, client: BusinessCentralClient
) -> None:
    target.network.answer("POST", POSTING, httpx.Response(204))
    with pytest.raises(InDoubt, match="posting_unconfirmed"):
        await client.deliver(post(shipment("S1", TWO_LAMPS)))


async def test_a_posting_stands_though_its_number_cannot_be_asked_for(
    target: Target, client: BusinessCentralClient
) -> None:
    for _ in range(3):
        target.network.answer("GET", "salesShipments", httpx.Response(503))
    settled = await client.deliver(post(shipment("S1", TWO_LAMPS)))
    assert settled.facts == {"order": target.rows("orders")[0]["number"]}


async def test_a_warehouse_that_counts_lines_in_its_own_way_is_understood_by_the_item(
    target: Target, client: BusinessCentralClient
) -> None:
    await client.deliver(post(shipment("S1", ("1", "1928-S", "12"), ("2", "1896-S", "1"))))
    lines = [
        (row["sequence"], str(row["quantity"]))
        for row in target.rows("shipment_lines")
        if row["quantity"]
    ]
    assert lines == [(10000, "1"), (20000, "10"), (30000, "2")]


async def test_the_line_of_the_number_is_filled_before_others_of_the_item(
    target: Target, client: BusinessCentralClient
) -> None:
    await client.deliver(post(shipment("S1", ("3", "1928-S", "6"))))
    lines = [
        (row["sequence"], str(row["quantity"]))
        for row in target.rows("shipment_lines")
        if row["quantity"]
    ]
    assert lines == [(20000, "1"), (30000, "5")]


async def test_it_is_posted_on_the_day_it_shipped(
    target: Target, client: BusinessCentralClient
) -> None:
    await client.deliver(post(shipment("S1", TWO_LAMPS)))
    assert target.rows("orders")[0]["postingDate"] == "2026-05-06"


async def test_the_orders_own_posting_date_stays_where_the_options_say_so(target: Target) -> None:
    client = target.client(posting_date="as_ordered")
    await client.deliver(outbound("create_order", ORDER))
    before = target.rows("orders")[0]["postingDate"]
    await client.deliver(post(shipment("S1", TWO_LAMPS)))
    assert target.rows("orders")[0]["postingDate"] == before


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (shipment("S1", ("1", "1896-S", "2.5")), "more_than_open at lines\\[0\\].quantity"),
        (shipment("S1", ("9", "1936-S", "1")), "line_unknown at lines\\[0\\]"),
        (shipment("S1", ("1", "1896-S", "0")), "nothing_shipped"),
        (shipment("S1", ("1", "1896-S", "two")), "quantity_invalid at lines\\[0\\].quantity"),
        (shipment("S1", ("1", "1896-S", "-1")), "quantity_invalid"),
        (shipment("", TWO_LAMPS), "body_invalid at shipment_number"),
        (shipment("S1", lines="none"), "body_invalid at lines"),
        (shipment("S1", TWO_LAMPS, order_reference=""), "body_invalid at order_reference"),
    ],
)
async def test_a_body_that_does_not_fit_is_refused_before_anything_is_written(
    target: Target, client: BusinessCentralClient, body: Json, code: str
) -> None:
    with pytest.raises(Rejected, match=code):
        await client.deliver(post(body))
    assert target.network.count("PATCH") == 0


async def test_another_unit_than_the_order_lines_is_refused(
    target: Target, client: BusinessCentralClient
) -> None:
    body = shipment("S1", TWO_LAMPS)
    body["lines"][0]["unit"] = "BOX"
    with pytest.raises(Rejected, match="unit_differs"):
        await client.deliver(post(body))
    assert target.network.count("PATCH") == 0


async def test_a_shipment_whose_invoice_was_lost_is_invoiced_and_not_shipped_again(
    target: Target, client: BusinessCentralClient
) -> None:
    body = shipment("S1", ("1", "1896-S", "2"), TWO_LAMPS)
    lost = CAUSED_BY.set("lose_invoice")
    await client.deliver(post(body))
    CAUSED_BY.reset(lost)
    assert target.posted("invoice_lines") == []
    assert await client.look_up(invoice(body)) is None

    await client.deliver(invoice(body))
    assert target.posted("shipment_lines") == [("1896-S", "2"), ("1928-S", "2")]
    assert target.posted("invoice_lines") == [("1896-S", "2"), ("1928-S", "2")]
    assert await client.look_up(invoice(body)) is not None


async def test_invoicing_again_does_nothing(target: Target, client: BusinessCentralClient) -> None:
    body = shipment("S1", TWO_LAMPS)
    await client.deliver(post(body))
    await client.deliver(invoice(body))
    assert target.network.count("POST", POSTING) == 1


async def test_invoicing_what_was_never_posted_posts_all_of_it(
    target: Target, client: BusinessCentralClient
) -> None:
    await client.deliver(invoice(shipment("S1", TWO_LAMPS)))
    assert target.posted("shipment_lines") == [("1928-S", "2")]
    assert target.posted("invoice_lines") == [("1928-S", "2")]


async def test_invoicing_the_last_shipment_closes_the_order(
    target: Target, client: BusinessCentralClient
) -> None:
    body = shipment("S1", ("1", "1896-S", "2"), ("", "1928-S", "15"))
    lost = CAUSED_BY.set("lose_invoice")
    await client.deliver(post(body))
    CAUSED_BY.reset(lost)
    assert len(target.rows("orders")) == 1
    await client.deliver(invoice(body))
    assert target.rows("orders") == []
    assert await client.look_up(invoice(body)) is not None


async def test_only_this_shipments_part_is_invoiced(
    target: Target, client: BusinessCentralClient
) -> None:
    lost = CAUSED_BY.set("lose_invoice")
    await client.deliver(post(shipment("S1", TWO_LAMPS), "d-2"))
    await client.deliver(post(shipment("S2", ("2", "1928-S", "3")), "d-4"))
    CAUSED_BY.reset(lost)
    await client.deliver(invoice(shipment("S2", ("2", "1928-S", "3"))))
    assert target.posted("invoice_lines") == [("1928-S", "3")]
    (row,) = target.rows("invoices")
    assert row["externalDocumentNumber"] == REFERENCE


def line(action: str, number: str, item: str, quantity: str) -> Json:
    return {"action": action, "line_number": number, "item_number": item, "quantity": quantity}
