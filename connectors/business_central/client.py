"""Calls Business Central: one sales order per reference, one posting per shipment, however often asked."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from weakref import WeakValueDictionary

import httpx

from canonical.errors import Rejected, Retryable
from connectors.base import Json, Outbound, Settled
from connectors.business_central.api import Api, Clocks
from connectors.business_central.books import Books
from connectors.business_central.config import BusinessCentralConfig
from connectors.business_central.order_actions import OrderActions
from connectors.business_central.shipment_actions import ShipmentActions

ACTIONS = ("create_order", "change_order", "post_shipment", "invoice_shipment")
_MOST_REMEMBERED = 10_000

_Act = Callable[[Outbound], Awaitable[Settled]]
_Ask = Callable[[Outbound], Awaitable[Settled | None]]


class Unanswered:
    """When requests left whose answers we do not have: they may still be at work.

    A hint, not a truth: what another process sent counts from the first time we are asked.
    """

    def __init__(self, clock: Callable[[], float], limit: float) -> None:
        self._clock = clock
        self._limit = limit
        self._sent: OrderedDict[str, float] = OrderedDict()

    def note(self, delivery: str) -> None:
        """A request of this delivery leaves now."""
        self._sent[delivery] = self._clock()
        self._sent.move_to_end(delivery)
        if len(self._sent) > _MOST_REMEMBERED:
            self._sent.popitem(last=False)

    def answered(self, delivery: str) -> None:
        """Its outcome is known."""
        self._sent.pop(delivery, None)

    def left(self, delivery: str) -> float:
        """Seconds until "not found" is certain."""
        if delivery not in self._sent:
            self.note(delivery)
        return self._sent[delivery] + self._limit - self._clock()


class BusinessCentralClient:
    """A `connectors.base.Client`.

    Args:
        config: the connection's options, secrets resolved.
        transport: carries the calls: what the site may reach, or a network of a test's own.
        clocks: replaces the clocks in tests.

    """

    def __init__(
        self,
        config: BusinessCentralConfig,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        clocks: Clocks | None = None,
    ) -> None:
        clocks = clocks or Clocks()
        self._api = Api(config, transport=transport, clocks=clocks)
        self._books = books = Books(self._api)
        orders = OrderActions(self._api, books)
        shipments = ShipmentActions(self._api, books, config)
        self._actions: dict[str, tuple[_Act, _Ask]] = {
            "create_order": (orders.create, orders.find_created),
            "change_order": (orders.change, orders.find_changed),
            "post_shipment": (shipments.post, shipments.find_posted),
            "invoice_shipment": (shipments.invoice, shipments.find_invoiced),
        }
        self._unanswered = Unanswered(clocks.monotonic, config.operation_limit_seconds)
        # A lock lives as long as somebody holds or awaits it.
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def deliver(self, outbound: Outbound) -> Settled:
        """See `connectors.base.Client`; deliveries about one order take turns."""
        act, _ = self._of(outbound)
        turn = self._turns.setdefault(_order_of(outbound), asyncio.Lock())
        async with turn:
            self._unanswered.note(outbound.id)
            try:
                settled = await act(outbound)
            except (Retryable, Rejected):  # not InDoubt, and not our own cancellation
                self._unanswered.answered(outbound.id)
                raise
            self._unanswered.answered(outbound.id)
            return settled

    async def look_up(self, outbound: Outbound) -> Settled | None:
        """See `connectors.base.Client`.

        Raises:
            Retryable: also ``answer_still_open``: not there, but the lost request may be at work.
            Rejected: the body does not say what to ask for.

        """
        _, ask = self._of(outbound)
        found = await ask(outbound)
        if found is None:
            left = self._unanswered.left(outbound.id)
            if left > 0:
                detail = "not there yet; the request may still be at work"
                raise Retryable("answer_still_open", "", detail, retry_after=left)
        self._unanswered.answered(outbound.id)
        return found

    async def at_target(self, outbound: Outbound) -> Json | None:
        """See `connectors.base.Comparable`: the open order, for the delivery that creates it."""
        if outbound.action != "create_order":
            return None
        found = await self._books.rows(outbound.reference)
        return found[0] if len(found) == 1 else None

    async def close(self) -> None:
        """Release connections; may be called twice."""
        await self._api.close()

    def _of(self, outbound: Outbound) -> tuple[_Act, _Ask]:
        found = self._actions.get(outbound.action)
        if found is None:
            expected = f"expected one of {', '.join(ACTIONS)}"
            raise Rejected("action_unknown", "action", expected)
        return found


def _order_of(outbound: Outbound) -> str:
    """The order that a delivery is about: a shipment's body names it."""
    return str(outbound.body.get("order_reference") or outbound.reference)
