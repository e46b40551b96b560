"""Deliveries to the hub: retried, never forgotten, every answer kept."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
import respx

from sandbox import shopify
from sandbox.journal import Journal
from sandbox.webhook import Deliveries, Delivery, Hub, Sender
from sandbox.world import World

HUB = "http://hub.test"
DELIVERY = Delivery("w1", "shop", "PO1", '{"a":1}', {"X-Shopify-Topic": "orders/create"})


@asynccontextmanager
async def _sender(world: World, deliveries: Deliveries, hub: Hub) -> AsyncIterator[Sender]:
    sender = Sender(deliveries, world, hub, shopify.signing("secret"), (0.0, 0.0))
    try:
        yield sender
    finally:
        await sender.close()


def _world(new_world: Callable[..., World]) -> tuple[World, Deliveries, Hub]:
    deliveries, hub = Deliveries("shopify", "webhook"), Hub()
    world = new_world(deliveries, hub)
    if not hub.url:
        world.record(hub.moved(HUB))
    return world, deliveries, hub


def _attempts(world: World) -> list[dict[str, Any]]:
    world.journal.flush()
    return [one for one in world.journal.entries() if one["effect"] == "webhook_sent"]


@respx.mock
async def test_a_refused_delivery_is_sent_again_with_the_same_bytes_and_id(
    new_world: Callable[..., World],
) -> None:
    answers: list[httpx.Response | Exception] = [
        httpx.Response(503),
        httpx.ConnectError("no"),
        httpx.Response(202, text="ok"),
    ]
    route = respx.post(f"{HUB}/in/shop").mock(side_effect=answers)
    world, deliveries, hub = _world(new_world)
    async with _sender(world, deliveries, hub) as sender:
        await sender.queue(DELIVERY)
    assert [one["status"] for one in _attempts(world)] == [503, None, 202]
    assert [one["final"] for one in _attempts(world)] == [False, False, True]
    assert deliveries.outcomes["w1"].acknowledged
    bodies = {call.request.content for call in route.calls}
    assert bodies == {b'{"a":1}'}
    signatures = {call.request.headers["X-Shopify-Hmac-Sha256"] for call in route.calls}
    assert len(signatures) == 1
    assert deliveries.waiting == {}


@respx.mock
async def test_a_delivery_is_given_up_after_the_last_attempt(
    new_world: Callable[..., World],
) -> None:
    respx.post(f"{HUB}/in/shop").mock(return_value=httpx.Response(500))
    world, deliveries, hub = _world(new_world)
    async with _sender(world, deliveries, hub) as sender:
        await sender.queue(DELIVERY)
    assert [one["final"] for one in _attempts(world)] == [False, False, True]
    assert not deliveries.outcomes["w1"].acknowledged


@respx.mock
async def test_a_delivery_meant_to_be_refused_is_tried_once(
    new_world: Callable[..., World],
) -> None:
    respx.post(f"{HUB}/in/shop").mock(return_value=httpx.Response(401))
    world, deliveries, hub = _world(new_world)
    forged = Delivery("w2", "shop", "PO1", "{}", {}, signature="missing", once=True)
    async with _sender(world, deliveries, hub) as sender:
        await sender.queue(forged)
    assert len(_attempts(world)) == 1


@respx.mock
async def test_what_waited_goes_on_after_a_restart(new_world: Callable[..., World]) -> None:
    world, deliveries, _ = _world(new_world)
    world.record(deliveries.queued(DELIVERY))
    world.journal.flush()

    respx.post(f"{HUB}/in/shop").mock(return_value=httpx.Response(200))
    world, deliveries, hub = _world(new_world)
    assert deliveries.waiting == {"w1": 0}
    async with _sender(world, deliveries, hub) as sender:
        sender.resume()
        (task,) = sender.tasks()
        await task
    assert [one["attempt"] for one in _attempts(world)] == [1]
    assert deliveries.known["w1"] == DELIVERY


async def test_without_a_hub_an_attempt_fails_and_is_kept(new_world: Callable[..., World]) -> None:
    deliveries, hub = Deliveries("shopify", "webhook"), Hub()
    world = new_world(deliveries, hub)
    async with _sender(world, deliveries, hub) as sender:
        await sender.queue(DELIVERY)
    assert {one["answer"] for one in _attempts(world)} == {"UnsupportedProtocol"}


def test_new_ids_after_a_restart_are_new(new_world: Callable[..., World]) -> None:
    hub = Hub()
    world = new_world(hub)
    before = [world.new_id() for _ in range(3)]
    world.record(hub.moved("http://a/"))
    again = new_world(hub)
    assert not set(before) & {again.new_id() for _ in range(3)}
    assert hub.url == "http://a"


def test_the_seed_decides_the_ids(tmp_path: Any) -> None:
    ids = []
    for name in ("a", "b"):
        journal = Journal(tmp_path / name)
        ids.append(World(journal, (), lambda: datetime.now(UTC), 7).new_id())
        journal.close()
    assert ids[0] == ids[1]
