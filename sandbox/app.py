"""The composition root of the sandbox: builds all parts, connects them, runs what runs by itself."""

from __future__ import annotations

import asyncio
import os
import sys
import traceback
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from fastapi import FastAPI

from sandbox import control, control_books, easypost, reference_data, shopify, sign_in
from sandbox.business_central import BusinessCentral
from sandbox.company import Company
from sandbox.easypost import Carrier, CarrierDesk
from sandbox.gate import Gate
from sandbox.journal import Journal
from sandbox.misbehaviour import Script
from sandbox.options import Options
from sandbox.partner import Partner, PartnerBook
from sandbox.shopify import Shop, ShopFront
from sandbox.sign_in import SignIn
from sandbox.warehouse import Warehouse
from sandbox.warehouse_floor import Folders, WarehouseFloor
from sandbox.webhook import Deliveries, Hub, Sender, Sign, Signature
from sandbox.world import World

FAILED = 70
"""Exit status when something that runs by itself breaks (sysexits.h, EX_SOFTWARE)."""


class Sandbox:
    """One emulated world and its ASGI application, `app`."""

    def __init__(self, options: Options, clock: Callable[[], datetime]) -> None:
        self._options = options
        self._company = Company(
            reference_data.COMPANY, reference_data.customers(), reference_data.items()
        )
        self._shop, self._carrier, self._warehouse = Shop(), Carrier(), Warehouse()
        self._book, self._script, self._hub = PartnerBook(), Script(), Hub()
        parts = (
            self._company, self._shop, self._carrier, self._warehouse,
            self._book, self._script, self._hub,
        )  # fmt: skip
        self._world = World(Journal(options.data / "effects.jsonl"), parts, clock, options.seed)
        if options.hub_url and options.hub_url.rstrip("/") != self._hub.url:
            self._world.record(self._hub.moved(options.hub_url))
        self._shop_sender = self._sender(
            self._shop.deliveries, shopify.signing(options.secrets.shop)
        )
        self._scan_sender = self._sender(
            self._carrier.deliveries, easypost.signing(options.secrets.carrier)
        )
        self._desk = CarrierDesk(self._carrier, self._world, self._scan_sender, options.carrier)
        self.app = Gate(self._api(), self._world, self._script, self._company)

    def _sender(self, deliveries: Deliveries, sign: dict[Signature, Sign]) -> Sender:
        return Sender(deliveries, self._world, self._hub, sign, self._options.retry_seconds)

    def _api(self) -> FastAPI:
        """All systems and the control side."""
        world, company, secrets = self._world, self._company, self._options.secrets
        login = SignIn(secrets.client_id, secrets.client_secret, company, world.clock)
        books = BusinessCentral(company, world, login, self._options.page_size)
        partners = {
            name: Partner(name, self._book, world, inbox, outbox)
            for name, (inbox, outbox) in self._options.partners.items()
        }
        front = ShopFront(self._shop, world, self._shop_sender)
        steered = control.Parts(
            world, self._hub, self._script, self._shop, front, self._carrier, self._desk,
            self._warehouse,
        )  # fmt: skip
        api = FastAPI(
            title="crossdock sandbox", lifespan=self._lifespan, openapi_url="/_control/openapi.json"
        )
        api.include_router(control.router(steered))
        api.include_router(control_books.router(company, world, partners))
        api.include_router(books.router())
        api.include_router(sign_in.router(login))
        return api

    @asynccontextmanager
    async def _lifespan(self, _api: FastAPI) -> AsyncIterator[None]:
        self._shop_sender.resume()
        self._scan_sender.resume()
        self._desk.resume()
        floor = self._floor()
        work = asyncio.create_task(_or_die(floor.run())) if floor is not None else None
        yield
        if work is not None:
            work.cancel()
        await self._desk.close()
        await self._shop_sender.close()
        await self._scan_sender.close()
        self._world.journal.close()

    def _floor(self) -> WarehouseFloor | None:
        inbox, outbox = self._options.lakeside_inbox, self._options.lakeside_outbox
        if inbox is None or outbox is None:
            return None
        folders = Folders(inbox, outbox, self._options.data / "lakeside-received")
        pace = self._options.warehouse
        return WarehouseFloor(self._warehouse, self._world, self._desk, folders, pace)


async def _or_die(work: Coroutine[Any, Any, None]) -> None:
    """Run something that must not stop; a world that is half dead would prove nothing."""
    try:
        await work
    except Exception:
        traceback.print_exc(file=sys.stderr)
        sys.stderr.flush()
        os._exit(FAILED)
