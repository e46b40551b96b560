"""The control side, ``/_control/...``: what the demo and the tests tell the world to do.

It has no authentication: the sandbox listens on the loopback address only.
"""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any, Literal

from fastapi import APIRouter, HTTPException, Response
from pydantic import BaseModel, ConfigDict, Field

from sandbox.easypost import MESSAGES, Carrier, CarrierDesk, created
from sandbox.effects import double_effects
from sandbox.json_text import Row, dumps
from sandbox.misbehaviour import Kind, Script
from sandbox.shopify import Shop, ShopFront, ShopOrder
from sandbox.warehouse import SYSTEM as WAREHOUSE
from sandbox.warehouse import Warehouse
from sandbox.webhook import Deliveries, Delivery, Hub, Signature
from sandbox.world import Effect, World

PAGE = 10_000
"""Most journal entries of one answer."""


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")


class HubAddress(_Asked):
    """Where the hub listens now."""

    url: str


class Match(_Asked):
    """Which requests a rule is for; empty means any."""

    method: str = ""
    path_contains: str = ""
    reference: str = ""


class Misbehave(_Asked):
    """One rule of the script."""

    system: Literal["business_central", "entra"] = "business_central"
    match: Match = Match()
    kind: Kind
    status: int = Field(503, ge=400, le=599)
    retry_after: float | None = None
    delay_seconds: float = Field(1.0, ge=0)
    applies: bool = False
    times: int = Field(1, ge=1)


class Redeliver(_Asked):
    """An earlier shop delivery, once more."""

    webhook_id: str
    signature: Signature = "good"
    wait: bool = False


class Scan(_Asked):
    """One scan of a parcel; an unknown parcel is made known when `reference` is given."""

    tracking_code: str
    status: Literal[tuple(MESSAGES)]  # type: ignore[valid-type]  # the table is the type
    reference: str = ""
    scac: str = "UPSN"
    city: str = "CHICAGO"
    state: str = "IL"
    country: str = "US"
    zip: str = "60601"
    signature: Signature = "good"
    wait: bool = False


class WarehousePlan(_Asked):
    """How an order is to be shipped; without `reference` the next one."""

    reference: str = ""
    short: dict[str, str] = Field(default_factory=dict)
    """Item -> how much stays behind."""
    parts: int = Field(1, ge=1, le=9)
    unit: str = ""
    each: str = Field("1", pattern=r"^[1-9]\d*$")


@dataclass(frozen=True)
class Parts:
    """What the control side steers."""

    world: World
    hub: Hub
    script: Script
    shop: Shop
    shop_front: ShopFront
    carrier: Carrier
    carrier_desk: CarrierDesk
    warehouse: Warehouse


def router(parts: Parts) -> APIRouter:
    """All control endpoints but those of the ERP's reference data and of the EDI customers."""
    routes = APIRouter(prefix="/_control")
    _journal(routes, parts)
    _script(routes, parts)
    _people(routes, parts)
    _goods(routes, parts)
    return routes


def _journal(routes: APIRouter, parts: Parts) -> None:
    journal = parts.world.journal

    @routes.get("/journal")
    async def entries(
        since: int = 0, limit: int = PAGE, system: str = "", effect: str = "", reference: str = ""
    ) -> Response:
        wanted = {"system": system, "effect": effect, "reference": reference}
        terms = [(name, value) for name, value in wanted.items() if value]
        await journal.flushed()
        matching = (
            entry
            for entry in journal.entries(since)
            if all(entry[name] == value for name, value in terms)
        )
        return _json({"entries": list(islice(matching, limit)), "last": journal.seq})

    @routes.get("/double-effects")
    async def doubles() -> Response:
        await journal.flushed()
        return _json({"double_effects": [asdict(one) for one in double_effects(journal.entries())]})

    @routes.get("/idle")
    async def idle() -> Response:
        waiting = {
            "webhooks": len(parts.shop.deliveries.waiting),
            "tracker_events": len(parts.carrier.deliveries.waiting),
            "parcels": len(parts.carrier.open()),
            "warehouse_orders": len(parts.warehouse.held),
            "warehouse_files": len(parts.warehouse.prepared),
        }
        return _json({"idle": not any(waiting.values()), "waiting": waiting})


def _script(routes: APIRouter, parts: Parts) -> None:
    @routes.post("/misbehave", status_code=201)
    async def misbehave(asked: Misbehave) -> Response:
        rule = asked.model_dump(exclude={"match"}) | asked.match.model_dump()
        rule["id"] = parts.world.new_id()
        reference = asked.match.reference
        parts.world.record(
            Effect(parts.script.system, "misbehaviour_set", reference, {"rule": rule})
        )
        return _json({"id": rule["id"]}, 201)

    @routes.get("/misbehave")
    async def remaining() -> Response:
        return _json({"rules": [asdict(rule) for rule in parts.script.rules]})

    @routes.delete("/misbehave")
    async def behave() -> Response:
        parts.world.record(Effect(parts.script.system, "misbehaviour_cleared", ""))
        return _json({"rules": []})

    @routes.put("/hub")
    async def hub(asked: HubAddress) -> Response:
        parts.world.record(parts.hub.moved(asked.url))
        return _json({"url": parts.hub.url})


def _people(routes: APIRouter, parts: Parts) -> None:
    @routes.post("/shop/orders", status_code=202)
    async def order(asked: ShopOrder) -> Response:
        delivery, sending = parts.shop_front.order(asked)
        return await _sent(parts.shop.deliveries, delivery, sending, wait=asked.wait)

    @routes.post("/shop/redeliver", status_code=202)
    async def redeliver(asked: Redeliver) -> Response:
        if asked.webhook_id not in parts.shop.deliveries.known:
            raise HTTPException(404, "there is no such delivery")
        sending = parts.shop_front.redeliver(asked.webhook_id, asked.signature)
        delivery = parts.shop.deliveries.known[asked.webhook_id]
        return await _sent(parts.shop.deliveries, delivery, sending, wait=asked.wait)


def _goods(routes: APIRouter, parts: Parts) -> None:
    @routes.post("/carrier/scan", status_code=202)
    async def scan(asked: Scan) -> Response:
        code = asked.tracking_code
        if code not in parts.carrier.trackers:
            if not asked.reference:
                raise HTTPException(404, "there is no such parcel; give a reference to make it")
            tracker = parts.carrier_desk.new_tracker(asked.reference, code, asked.scac)
            parts.world.record(created(tracker))
        place = asked.model_dump(include={"city", "state", "country", "zip"})
        delivery, sending = parts.carrier_desk.scan(code, asked.status, place, asked.signature)
        return await _sent(parts.carrier.deliveries, delivery, sending, wait=asked.wait)

    @routes.get("/carrier/parcels")
    async def parcels(reference: str = "") -> Response:
        found = [
            {"tracking_code": one.tracking_code, "status": one.status, "reference": one.reference}
            for one in parts.carrier.trackers.values()
            if reference in {"", one.reference}
        ]
        return _json({"parcels": found})

    @routes.post("/warehouse/plan", status_code=201)
    async def plan(asked: WarehousePlan) -> Response:
        row = asked.model_dump() | {"id": parts.world.new_id()}
        parts.world.record(Effect(WAREHOUSE, "warehouse_plan_set", asked.reference, {"plan": row}))
        return _json({"id": row["id"]}, 201)


async def _sent(
    deliveries: Deliveries, delivery: Delivery, sending: asyncio.Task[None], *, wait: bool
) -> Response:
    """Answer with the delivery; with `wait`, also with what the hub said in the end."""
    shown: dict[str, Any] = {"delivery_id": delivery.id, "reference": delivery.reference}
    if wait:
        await sending
        attempt = deliveries.outcomes[delivery.id]
        shown |= asdict(attempt) | {"acknowledged": attempt.acknowledged}
    return _json(shown, 202)


def _json(body: Row, status: int = 200) -> Response:
    return Response(dumps(body), status, media_type="application/json")
