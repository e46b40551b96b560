"""Creating orders: one order per reference, whatever happens to the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from canonical.errors import InDoubt, Rejected, Retryable
from connectors.business_central.client import Unanswered
from tests.support.business_central import ORDER, REFERENCE, ManualClock, outbound, shipment

if TYPE_CHECKING:
    from tests.unit.connectors.business_central.conftest import Target

CREATE = outbound("create_order", ORDER)


async def test_an_order_is_created_with_its_lines_under_our_reference(target: Target) -> None:
    settled = await target.client().deliver(CREATE)

    (order,) = target.rows("orders")
    assert settled.external_id == order["id"]
    assert settled.facts == {"number": order["number"]}
    assert order["externalDocumentNumber"] == REFERENCE
    lines = [(line["sequence"], str(line["quantity"])) for line in target.rows("order_lines")]
    assert lines == [(10000, "2"), (20000, "10"), (30000, "5")]


async def test_prices_reach_the_target_digit_for_digit(target: Target) -> None:
    await target.client().deliver(CREATE)
    body = target.network.seen[-1].content
    assert b'"unitPrice":1000.80' in body
    assert b'"quantity":10' in body


async def test_an_order_that_was_never_sent_is_not_found(target: Target) -> None:
    assert await target.client().look_up(CREATE) is None


async def test_a_lost_answer_is_in_doubt_and_found_by_our_reference(target: Target) -> None:
    client = target.client()
    target.network.lose_answer("POST", "/salesOrders")
    with pytest.raises(InDoubt, match="answer_lost"):
        await client.deliver(CREATE)

    found = await client.look_up(CREATE)
    assert found is not None
    assert found.external_id == target.rows("orders")[0]["id"]
    assert len(target.rows("orders")) == 1


async def test_a_create_is_never_sent_twice_by_the_client_itself(target: Target) -> None:
    target.network.answer("POST", "/salesOrders", httpx.Response(504))
    with pytest.raises(InDoubt):
        await target.client().deliver(CREATE)
    assert target.network.count("POST") == 1


async def test_not_found_is_not_believed_while_the_lost_request_may_be_at_work(
    target: Target,
) -> None:
    client = target.client(operation_limit_seconds=480.0)
    target.network.answer("POST", "/salesOrders", httpx.Response(504))
    with pytest.raises(InDoubt):
        await client.deliver(CREATE)

    target.clock.seconds += 100
    with pytest.raises(Retryable, match="answer_still_open") as raised:
        await client.look_up(CREATE)
    assert raised.value.retry_after == 380

    target.clock.seconds += 380
    assert await client.look_up(CREATE) is None


async def test_what_another_process_sent_counts_from_the_first_question(target: Target) -> None:
    client = target.client(operation_limit_seconds=480.0)
    with pytest.raises(Retryable, match="answer_still_open") as raised:
        await client.look_up(CREATE)
    assert raised.value.retry_after == 480
    target.clock.seconds += 480
    assert await client.look_up(CREATE) is None


async def test_a_refused_order_leaves_nothing_to_wait_for(target: Target) -> None:
    client = target.client(operation_limit_seconds=480.0)
    with pytest.raises(Rejected, match="application_refused") as raised:
        await client.deliver(outbound("create_order", ORDER | {"customerNumber": "C99999"}))
    assert "C99999" not in str(raised.value)


async def test_an_order_already_posted_is_found_by_its_invoice(target: Target) -> None:
    client = target.client()
    made = await client.deliver(CREATE)
    whole = shipment("S1", ("1", "1896-S", "2"), ("2", "1928-S", "10"), ("3", "1928-S", "5"))
    await client.deliver(outbound("post_shipment", whole))
    assert target.rows("orders") == []

    found = await client.look_up(CREATE)
    assert found is not None
    assert found.external_id == made.external_id
    assert found.facts["state"] == "posted"


async def test_an_order_that_does_not_carry_our_reference_is_not_sent(target: Target) -> None:
    with pytest.raises(Rejected, match="reference_missing"):
        await target.client().deliver(outbound("create_order", ORDER, reference="XDOTHER"))
    with pytest.raises(Rejected, match="reference_missing"):
        await target.client().deliver(outbound("create_order", ORDER, reference=""))
    assert target.network.seen == []


async def test_an_unknown_action_is_refused_before_anything_is_sent(target: Target) -> None:
    for call in (target.client().deliver, target.client().look_up):
        with pytest.raises(Rejected, match="action_unknown"):
            await call(outbound("paint_it_blue", {}))
    assert target.network.seen == []


async def test_an_answer_without_an_id_is_not_a_success(target: Target) -> None:
    target.network.answer("POST", "/salesOrders", httpx.Response(201, json={"number": "x"}))
    with pytest.raises(InDoubt, match="not_the_api"):
        await target.client().deliver(CREATE)


async def test_without_a_reference_nothing_is_asked(target: Target) -> None:
    with pytest.raises(Rejected, match="reference_missing"):
        await target.client().look_up(outbound("create_order", ORDER, reference=""))
    assert target.network.seen == []


def test_what_was_sent_is_remembered_up_to_a_bound() -> None:
    clock = ManualClock()
    unanswered = Unanswered(lambda: clock.seconds, 10.0)
    unanswered.note("first")
    clock.seconds += 4
    assert unanswered.left("first") == 6
    for n in range(10_000):
        unanswered.note(f"d-{n}")
    assert unanswered.left("first") == 10
