"""EasyPost: tracker webhooks, each with the whole history of a parcel, signed.

Source: EasyPost's webhook guide: `X-Hmac-Signature` is ``hmac-sha256-hex=`` and the hex
HMAC-SHA256 of the raw body under the NFKD-normalised secret; a ``tracker.updated`` event wraps the
tracker in `result` and what it was before in `previous_attributes`.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sandbox.journal import Entry
from sandbox.json_text import Row, dumps
from sandbox.webhook import Deliveries, Delivery, Sender, Sign, Signature
from sandbox.world import Effect, World

CARRIERS = {"UPSN": "UPS", "FDEG": "FedEx", "FDE": "FedEx", "USPS": "USPS"}
"""SCAC (X12 element 140) -> EasyPost's name of the carrier."""
USUAL_WAY = ("pre_transit", "in_transit", "delivered")
"""What happens to a parcel by itself."""
MESSAGES = {
    "pre_transit": "Shipping label created, waiting for the parcel",
    "in_transit": "Departed from facility",
    "out_for_delivery": "Out for delivery",
    "available_for_pickup": "Ready to be picked up",
    "delivered": "Delivered",
    "return_to_sender": "Returned to sender",
    "failure": "Delivery attempted, no access",
    "cancelled": "Shipment cancelled",
    "error": "Tracking is not available",
    "unknown": "No information yet",
}
"""Status -> the carrier's words."""


@dataclass(frozen=True)
class Tracker:
    """One parcel and its history so far."""

    id: str
    tracking_code: str
    carrier: str
    reference: str
    """The warehouse's depositor order number: our reference."""
    created_at: str
    status: str = "unknown"
    details: tuple[Row, ...] = ()
    automatic: bool = True


def signing(secret: str) -> dict[Signature, Sign]:
    """How EasyPost signs, well and badly."""
    header = "X-Hmac-Signature"

    def signed(key: str, body: bytes) -> bytes:
        normal = unicodedata.normalize("NFKD", key).encode()
        return b"hmac-sha256-hex=" + hmac.new(normal, body, hashlib.sha256).hexdigest().encode()

    return {
        "good": lambda body: {header: signed(secret, body)},
        "bad": lambda body: {header: signed(secret + "x", body)},
        "missing": lambda _body: {},
        "non_ascii": lambda _body: {header: "señal".encode("latin-1")},
    }


class Carrier:
    """All parcels, and the events sent about them."""

    system = "easypost"

    def __init__(self) -> None:
        self.deliveries = Deliveries(self.system, "tracker_event")
        self.trackers: dict[str, Tracker] = {}

    def apply(self, entry: Entry) -> None:
        """Take an entry."""
        if "tracker" in entry:
            row = dict(entry["tracker"])
            tracker = Tracker(**row | {"details": tuple(row["details"])})
            self.trackers[tracker.tracking_code] = tracker
        self.deliveries.apply(entry)

    def open(self) -> list[Tracker]:
        """Parcels that still go their way by themselves."""
        return [
            tracker
            for tracker in self.trackers.values()
            if tracker.automatic and tracker.status != USUAL_WAY[-1]
        ]


def created(tracker: Tracker) -> Effect:
    """The effect of a parcel becoming known to EasyPost."""
    return Effect("easypost", "tracker_created", tracker.reference, {"tracker": _kept(tracker)})


def _kept(tracker: Tracker) -> Row:
    return {
        "id": tracker.id, "tracking_code": tracker.tracking_code, "carrier": tracker.carrier,
        "reference": tracker.reference, "created_at": tracker.created_at,
        "status": tracker.status, "details": list(tracker.details),
        "automatic": tracker.automatic,
    }  # fmt: skip


def scanned(tracker: Tracker, status: str, at: datetime, place: Row) -> Tracker:
    """The tracker after one more scan."""
    detail = {
        "object": "TrackingDetail",
        "message": MESSAGES[status],
        "description": "",
        "status": status,
        "status_detail": "status_update",
        "datetime": _stamp(at),
        "source": tracker.carrier,
        "carrier_code": "",
        "tracking_location": {"object": "TrackingLocation"} | place,
    }
    return Tracker(**{**_kept(tracker), "status": status, "details": (*tracker.details, detail)})


def event(before: Tracker, after: Tracker, event_id: str, at: datetime) -> Row:
    """The body of a ``tracker.updated`` webhook."""
    return {
        "id": f"evt_{event_id}",
        "object": "Event",
        "mode": "production",
        "description": "tracker.updated",
        "previous_attributes": {"status": before.status},
        "created_at": _stamp(at),
        "updated_at": _stamp(at),
        "pending_urls": [],
        "completed_urls": [],
        "status": "pending",
        "result": {
            "id": after.id,
            "object": "Tracker",
            "mode": "production",
            "tracking_code": after.tracking_code,
            "status": after.status,
            "status_detail": "arrived_at_destination"
            if after.status == "delivered"
            else "status_update",
            "created_at": after.created_at,
            "updated_at": at.isoformat(timespec="microseconds").replace("+00:00", "Z"),
            "signed_by": None,
            "weight": None,
            "est_delivery_date": None,
            "shipment_id": None,
            "carrier": after.carrier,
            "tracking_details": list(after.details),
            "carrier_detail": None,
            "finalized": after.status == "delivered",
            "is_return": False,
            "public_url": f"https://track.easypost.com/{after.id}",
            "fees": [],
        },
    }


def _stamp(at: datetime) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")


@dataclass(frozen=True)
class CarrierPace:
    """How parcels move by themselves."""

    automatic: bool = True
    step_seconds: float = 0.5
    """Between two scans."""
    connection: str = "tracking"
    """The hub's connection that events are sent to."""


class CarrierDesk:
    """Moves parcels and tells the hub."""

    def __init__(self, carrier: Carrier, world: World, sender: Sender, pace: CarrierPace) -> None:
        self._carrier = carrier
        self._world = world
        self._sender = sender
        self._pace = pace
        self._tasks: set[asyncio.Task[None]] = set()

    def new_tracker(self, reference: str, tracking_code: str, scac: str) -> Tracker:
        """A parcel that the carrier has not seen yet."""
        return Tracker(
            id=f"trk_{self._world.new_id().replace('-', '')}",
            tracking_code=tracking_code,
            carrier=CARRIERS.get(scac, scac),
            reference=reference,
            created_at=_stamp(self._world.clock()),
            automatic=self._pace.automatic,
        )

    def scan(
        self, tracking_code: str, status: str, place: dict[str, Any], signature: Signature = "good"
    ) -> tuple[Delivery, asyncio.Task[None]]:
        """Record one scan and queue the webhook with the whole history.

        Raises:
            KeyError: there is no such parcel or status.

        """
        before, at = self._carrier.trackers[tracking_code], self._world.clock()
        after = scanned(before, status, at, place)
        event_id = self._world.new_id().replace("-", "")
        delivery = Delivery(
            id=f"evt_{event_id}",
            connection=self._pace.connection,
            reference=after.reference,
            body=dumps(event(before, after, event_id, at)).decode(),
            headers={"Content-Type": "application/json", "User-Agent": "EasyPost/v2 Webhooks"},
            signature=signature,
            once=signature != "good",
        )
        return delivery, self._sender.queue(delivery, tracker=_kept(after), status_now=status)

    def follow(self, tracker: Tracker) -> None:
        """Let a parcel go its usual way by itself, from where it is."""
        if not tracker.automatic:
            return
        task = asyncio.create_task(self._go(tracker))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def resume(self) -> None:
        """Go on with the parcels that were under way."""
        for tracker in self._carrier.open():
            self.follow(tracker)

    async def close(self) -> None:
        """Stop; parcels go on after the next start."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _go(self, tracker: Tracker) -> None:
        for status in USUAL_WAY:
            now = self._carrier.trackers[tracker.tracking_code]
            if status in {detail["status"] for detail in now.details}:
                continue
            await asyncio.sleep(self._pace.step_seconds)
            _, sending = self.scan(tracker.tracking_code, status, _SOMEWHERE)
            await sending


_SOMEWHERE: Row = {"city": "CHICAGO", "state": "IL", "country": "US", "zip": "60601"}
