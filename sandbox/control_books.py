"""The control side of the ERP's reference data and of the EDI customers' files."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal

from fastapi import APIRouter, HTTPException, Response
from pydantic import BaseModel, ConfigDict, Field

from sandbox.company import Collection, Company
from sandbox.json_text import Row, dumps
from sandbox.partner import Partner, SentFile
from sandbox.purchase_order import PurchaseChange, PurchaseOrder
from sandbox.world import Effect, World


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ItemChange(_Asked):
    """What changes on an item card; stock alone leaves `lastModifiedDateTime` as it is."""

    number: str
    inventory: Decimal | None = None
    unit_price: Decimal | None = None
    blocked: bool | None = None


class CustomerChange(_Asked):
    """What changes on a customer card."""

    number: str
    blocked: Literal[" ", "Ship", "Invoice", "All"]


class Orders(_Asked):
    """Purchase orders for one interchange."""

    partner: str
    orders: list[PurchaseOrder] = Field(min_length=1)


class Changes(_Asked):
    """Purchase order changes for one interchange."""

    partner: str
    changes: list[PurchaseChange] = Field(min_length=1)


class Again(_Asked):
    """A file to retransmit."""

    partner: str
    name: str


class RawFile(_Asked):
    """Any bytes, in base64."""

    partner: str
    name: str
    content: str


def router(company: Company, world: World, partners: Mapping[str, Partner]) -> APIRouter:
    """The control endpoints."""
    routes = APIRouter(prefix="/_control")
    _cards(routes, company, world)
    counter = _Counter(partners)
    _documents(routes, counter)
    _files(routes, counter)
    return routes


def _cards(routes: APIRouter, company: Company, world: World) -> None:
    def change(rows: Collection, part: str, number: str, changes: Row, *, card: bool) -> Response:
        row = next(iter(rows.find(number=number)), None)
        if row is None:
            raise HTTPException(404, "there is no such number")
        stamp = world.clock().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        changed = row | changes | {"version": row.get("version", 0) + 1}
        if card:
            changed["lastModifiedDateTime"] = stamp
        world.record(Effect(company.system, f"{part}_changed", number, {part: changed}))
        return _json(rows.entity.render(changed))

    @routes.post("/business_central/items")
    async def item(asked: ItemChange) -> Response:
        given = {
            "inventory": asked.inventory, "unitPrice": asked.unit_price, "blocked": asked.blocked,
        }  # fmt: skip
        changes = {name: value for name, value in given.items() if value is not None}
        card = bool(changes.keys() - {"inventory"})
        return change(company.items, "item", asked.number, changes, card=card)

    @routes.post("/business_central/customers")
    async def customer(asked: CustomerChange) -> Response:
        changes = {"blocked": asked.blocked}
        return change(company.customers, "customer", asked.number, changes, card=True)

    @routes.post("/business_central/revoke_tokens")
    async def revoke() -> Response:
        world.record(Effect(company.system, "tokens_revoked", ""))
        return _json({"generation": company.token_generation})


class _Counter:
    """Finds the partner a request is for."""

    def __init__(self, partners: Mapping[str, Partner]) -> None:
        self._partners = partners

    def known(self, name: str) -> Partner:
        if name not in self._partners:
            raise HTTPException(404, "there is no such partner; see --partner")
        return self._partners[name]


def _documents(routes: APIRouter, counter: _Counter) -> None:
    @routes.post("/partner/orders", status_code=201)
    async def orders(asked: Orders) -> Response:
        return _handed_over(counter.known(asked.partner).send_orders(asked.orders))

    @routes.post("/partner/changes", status_code=201)
    async def changes(asked: Changes) -> Response:
        return _handed_over(counter.known(asked.partner).send_changes(asked.changes))

    @routes.get("/partner/{name}/acknowledgements")
    async def acknowledgements(name: str) -> Response:
        return _json({"groups": counter.known(name).collect()})


def _files(routes: APIRouter, counter: _Counter) -> None:
    @routes.post("/partner/again", status_code=201)
    async def again(asked: Again) -> Response:
        try:
            return _handed_over(counter.known(asked.partner).send_again(asked.name))
        except KeyError as error:
            raise HTTPException(404, "there is no such file") from error

    @routes.post("/partner/files", status_code=201)
    async def raw(asked: RawFile) -> Response:
        try:
            data = base64.b64decode(asked.content, validate=True)
            return _handed_over(counter.known(asked.partner).send_bytes(asked.name, data))
        except ValueError as error:
            raise HTTPException(422, "expected base64 and the name of one file") from error


def _handed_over(file: SentFile) -> Response:
    shown: dict[str, Any] = {
        "name": file.name, "interchange": file.interchange, "documents": list(file.documents),
        "again": file.again,
    }  # fmt: skip
    return _json(shown, 201)


def _json(body: Row, status: int = 200) -> Response:
    return Response(dumps(body), status, media_type="application/json")
