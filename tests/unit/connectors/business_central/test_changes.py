"""Changing orders: the differences are written, once, and nothing that was shipped is taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from canonical.errors import InDoubt, Rejected, Retryable
from connectors.base import Json, Outbound
from tests.support.business_central import ORDER, outbound, shipment

if TYPE_CHECKING:
    from connectors.business_central.client import BusinessCentralClient
    from tests.unit.connectors.business_central.conftest import Target


def change(*lines: Json, kind: str = "change", **more: str) -> Outbound:
    return outbound("change_order", {"kind": kind, "lines": list(lines), **more}, id_="d-5")


def line(
    action: str, number: str, item: str = "", quantity: str | None = None, **more: str
) -> Json:
    found: Json = {"action": action, "line_number": number, **more}
    if item:
        found["item_number"] = item
    return found if quantity is None else {**found, "quantity": quantity}


def lines(target: Target) -> list[tuple[str, str, str]]:
    """(item, quantity, price) of the order's lines, in sequence."""
    rows = sorted(target.rows("order_lines"), key=lambda row: row["sequence"])
    return [(row["lineObjectNumber"], str(row["quantity"]), str(row["unitPrice"])) for row in rows]


@pytest.fixture
async def client(target: Target) -> BusinessCentralClient:
    """A client whose order is there."""
    client = target.client()
    await client.deliver(outbound("create_order", ORDER))
    return client


async def test_quantities_prices_additions_and_deletions_are_written(
    target: Target, client: BusinessCentralClient
) -> None:
    wanted = change(
        line("change", "1", quantity="3"),
        line("change", "2", "1928-S", unit_price="53.10"),
        line("delete", "3", "1928-S"),
        line("add", "4", "1996-S", "1", unit="PCS"),
        requestedDeliveryDate="2026-06-01",
    )
    assert await client.look_up(wanted) is None
    await client.deliver(wanted)
    assert lines(target) == [
        ("1896-S", "3", "1000.80"),
        ("1928-S", "10", "53.10"),
        ("1996-S", "1", "1397.3"),
    ]
    assert target.rows("orders")[0]["requestedDeliveryDate"] == "2026-06-01"
    assert await client.look_up(wanted) is not None


async def test_the_same_change_again_writes_nothing(
    target: Target, client: BusinessCentralClient
) -> None:
    wanted = change(line("change", "1", quantity="3"), line("add", "4", "1928-S", "1"))
    await client.deliver(wanted)
    writes = target.network.count("PATCH") + target.network.count("POST")
    await client.deliver(wanted)
    assert target.network.count("PATCH") + target.network.count("POST") == writes
    assert [row[1] for row in lines(target)] == ["3", "10", "5", "1"]


async def test_a_lost_answer_of_an_added_line_does_not_add_it_twice(
    target: Target, client: BusinessCentralClient
) -> None:
    wanted = change(line("add", "4", "1928-S", "1"), line("add", "5", "1928-S", "2"))
    target.network.lose_answer("POST", "salesOrderLines")
    with pytest.raises(InDoubt, match="answer_lost"):
        await client.deliver(wanted)
    assert await client.look_up(wanted) is None
    await client.deliver(wanted)
    assert [row[1] for row in lines(target)] == ["2", "10", "5", "1", "2"]


async def test_an_error_body_behind_a_200_is_not_a_success(
    target: Target, client: BusinessCentralClient
) -> None:
    target.network.answer("PATCH", "salesOrderLines", httpx.Response(200, json={"error": {}}))
    with pytest.raises(InDoubt, match="not_the_api"):
        await client.deliver(change(line("change", "1", quantity="3")))


async def test_a_stale_etag_is_read_again_and_the_change_applied(
    target: Target, client: BusinessCentralClient
) -> None:
    other = target.client()
    theirs = outbound(
        "change_order", {"kind": "change", "lines": [line("change", "1", unit_price="9")]}
    )
    target.network.before("PATCH", "salesOrderLines", lambda: other.deliver(theirs))
    await client.deliver(change(line("change", "1", quantity="3")))
    assert lines(target)[0] == ("1896-S", "3", "9")


async def test_every_write_to_a_record_carries_its_etag(
    target: Target, client: BusinessCentralClient
) -> None:
    await client.deliver(change(line("change", "1", quantity="3"), line("delete", "2", "1928-S")))
    await client.deliver(change(kind="cancel"))
    written = [one for one in target.network.seen if one.method in {"PATCH", "DELETE"}]
    assert len(written) == 3
    assert all(one.headers["If-Match"].startswith('W/"') for one in written)


async def test_a_cancelled_order_is_deleted_and_then_found_gone(
    target: Target, client: BusinessCentralClient
) -> None:
    wanted = change(kind="cancel")
    target.network.lose_answer("DELETE", "salesOrders")
    with pytest.raises(InDoubt):
        await client.deliver(wanted)
    assert target.rows("orders") == []
    found = await client.look_up(wanted)
    assert found is not None
    assert found.facts == {"state": "deleted"}


async def test_a_replaced_order_loses_the_lines_that_are_not_named(
    target: Target, client: BusinessCentralClient
) -> None:
    await client.deliver(
        change(
            line("change", "1", "1896-S", "1"),
            line("change", "7", "1996-S", "2"),
            kind="replace",
        )
    )
    assert [row[:2] for row in lines(target)] == [("1896-S", "1"), ("1996-S", "2")]


async def test_a_quantity_of_zero_deletes_the_line(
    target: Target, client: BusinessCentralClient
) -> None:
    await client.deliver(change(line("change", "1", "1896-S", "0")))
    assert [row[0] for row in lines(target)] == ["1928-S", "1928-S"]


async def test_what_is_shipped_cannot_be_taken_back(client: BusinessCentralClient) -> None:
    body = shipment("S1", ("2", "1928-S", "4"))
    await client.deliver(outbound("post_shipment", body))
    for wanted, code in (
        (change(kind="cancel"), "order_shipped_at_target"),
        (change(line("delete", "2", "1928-S")), "line_shipped"),
        (change(line("change", "2", "1928-S", "3")), "line_shipped"),
    ):
        with pytest.raises(Rejected, match=code):
            await client.deliver(wanted)
        assert await client.look_up(wanted) is None
    await client.deliver(change(line("change", "2", "1928-S", "4")))


async def test_a_change_to_an_order_that_is_gone_is_refused(client: BusinessCentralClient) -> None:
    whole = shipment("S1", ("1", "1896-S", "2"), ("", "1928-S", "15"))
    await client.deliver(outbound("post_shipment", whole))
    for wanted in (change(line("change", "1", quantity="3")), change(kind="cancel")):
        with pytest.raises(Rejected, match="order_closed_at_target"):
            await client.deliver(wanted)
        assert await client.look_up(wanted) is None


async def test_a_change_before_its_order_waits(target: Target) -> None:
    with pytest.raises(Retryable, match="order_not_at_target"):
        await target.client().deliver(change(line("change", "1", quantity="3")))


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        (change(line("change", "9", "1936-S", "1")), "line_unknown at lines\\[0\\]"),
        (change(line("change", "001", "1896-S", "1")), "line_unknown at lines\\[0\\]"),
        (change(line("change", "1", "1928-S", "1")), "item_differs at lines\\[0\\]"),
        (change(line("change", "1", "1896-S", "1", unit="BOX")), "unit_differs"),
        (change(line("change", "1", "1896-S", "-1")), "quantity_invalid at lines\\[0\\].quantity"),
        (change(line("change", "1", unit_price="1e5")), "quantity_invalid"),
        (change(line("add", "9", "1936-S")), "body_invalid at lines\\[0\\]"),
        (change(line("paint", "1")), "body_invalid at lines\\[0\\].action"),
        (change(kind="perhaps"), "body_invalid at kind"),
        (outbound("change_order", {"kind": "change", "lines": "x"}), "body_invalid at lines"),
    ],
)
async def test_a_change_that_does_not_fit_is_refused_before_anything_is_written(
    target: Target, client: BusinessCentralClient, wanted: Outbound, code: str
) -> None:
    with pytest.raises(Rejected, match=code):
        await client.deliver(wanted)
    assert target.network.count("PATCH") + target.network.count("DELETE") == 0


async def test_a_deleted_line_is_not_taken_for_another_of_the_same_item(
    target: Target, client: BusinessCentralClient
) -> None:
    wanted = change(line("delete", "3", "1928-S"))
    await client.deliver(wanted)
    await client.deliver(wanted)
    assert [row[:2] for row in lines(target)] == [("1896-S", "2"), ("1928-S", "10")]


async def test_on_an_order_that_we_did_not_make_the_item_decides(target: Target) -> None:
    client = target.client()
    plain = [dict(row) for row in ORDER["salesOrderLines"]]
    for row in plain:
        del row["description2"]
    await client.deliver(outbound("create_order", ORDER | {"salesOrderLines": plain}))

    await client.deliver(change(line("change", "7", "1896-S", "8")))
    assert lines(target)[0][1] == "8"
    with pytest.raises(Rejected, match="line_ambiguous"):
        await client.deliver(change(line("change", "2", "1928-S", "8")))
    with pytest.raises(Rejected, match="line_ambiguous"):
        await client.deliver(change(line("delete", "2")))
