"""Rendering a document for a target: in a worker process, with what its mapping may ask for."""

from __future__ import annotations

from typing import Any

import orjson
from sqlalchemy.ext.asyncio import AsyncEngine

from canonical.errors import ConfigError, Rejected
from canonical.order import Order
from connectors.base import Numbers
from hub.delivery.parts import Rendered
from hub.ledger.delivery_rows import DeliveryRow, DocumentRow
from hub.release.control_points import ship_method
from hub.release.ordered import ordered
from hub.settings.model import ControlPoints
from hub.workers.jobs import EncodeJob, RenderJob
from hub.workers.pool import WorkerPool

_OF_AN_ORDER = frozenset({"shipment", "invoice"})
"""What partners want their own numbers of the order on: warehouses and ERPs do not repeat them."""


class WorkerRenderer:
    """Renders in the worker pool.

    Mappings read as ``$control``: reference (ours at the target), number, connection, partner,
    version; of orders ship_method (ours); of shipments and invoices the order that they are for, as
    canonical JSON, where the ledger has it.

    Args:
        workers: where mappings run.
        policy: how ship methods are translated.
        engine: of the ledger; None: without looking for the order.

    """

    def __init__(
        self, workers: WorkerPool, policy: ControlPoints, engine: AsyncEngine | None = None
    ) -> None:
        self._workers = workers
        self._policy = policy
        self._engine = engine

    async def render(
        self, delivery: DeliveryRow, document: DocumentRow, numbers: Numbers
    ) -> Rendered:
        """Return what is to be sent; see `hub.delivery.parts.Renderer`.

        A mapping that is missing concerns this document alone and makes it a dead letter; as a
        `ConfigError` it would halt the target for all others too.
        """
        try:
            return await self._render(delivery, document, numbers)
        except ConfigError as error:
            raise Rejected(error.code, error.where, error.detail) from error

    async def _render(
        self, delivery: DeliveryRow, document: DocumentRow, numbers: Numbers
    ) -> Rendered:
        canonical = document.canonical or {}
        if document.entity == "acknowledgement":  # an answer is in the system's own words already
            job = EncodeJob(delivery.target, delivery.flow, canonical, numbers)
            encoded = await self._workers.encode(job)
            return Rendered(canonical, encoded, number=numbers.interchange)
        made = await self._workers.render(
            RenderJob(
                delivery.target,
                document.entity,
                delivery.flow,
                orjson.dumps(canonical),
                await self._control(delivery, document, canonical),
                numbers,
            )
        )
        return Rendered(made.body, made.encoded, made.mapping_version, numbers.interchange)

    async def _control(
        self, delivery: DeliveryRow, document: DocumentRow, canonical: dict[str, Any]
    ) -> dict[str, Any]:
        control: dict[str, Any] = {
            "reference": delivery.reference,
            "number": document.number or "",
            "connection": document.connection,
            "partner": document.partner,
            "version": delivery.version,
        }
        if document.entity == "order":
            order = Order.model_validate_json(orjson.dumps(canonical))
            control["ship_method"] = ship_method(order, self._policy) or ""
        if document.entity in _OF_AN_ORDER and document.reference and self._engine is not None:
            async with self._engine.connect() as ledger:
                of = await ordered(ledger, document.reference)
            if of is not None:
                control["order"] = orjson.loads(of.model_dump_json(exclude_none=True))
        return control
