"""EasyPost's events: an envelope (``description``, ``mode``) around one object (``result``).

Codes, all `Rejected`, beside those of `connectors.json_body`:

========================  =======================================================================
``flow_not_handled``      an event that the hub has no use for; recorded, answered with 200
``event_without_result``  a tracker event without its tracker
``flow_not_written``      the hub writes nothing to EasyPost
========================  =======================================================================
"""

from __future__ import annotations

import re

from canonical.errors import Rejected
from connectors.base import Decoded, Json, Numbers, Receipt, Refusal, SourceDocument
from connectors.json_body import read_object

TRACKER_UPDATED = "tracker.updated"

# Both carry the whole tracker, so one mapping reads both.
_TRACKER_EVENTS = {TRACKER_UPDATED, "tracker.created"}
_KIND = re.compile(r"[a-z_]{1,40}(\.[a-z_]{1,40}){1,3}", re.ASCII)
_EVENT_ID = re.compile(r"evt_[A-Za-z0-9]{8,64}", re.ASCII)


def flow_of(event: Json) -> str:
    """The flow of an event: its ``description`` where that is a kind of event, otherwise ""."""
    kind = event.get("description")
    if not isinstance(kind, str) or not _KIND.fullmatch(kind):
        return ""
    return TRACKER_UPDATED if kind in _TRACKER_EVENTS else kind


class EasyPostCodec:
    """Reads the bodies of webhook calls."""

    def decode(self, receipt: Receipt) -> Decoded:
        """One event, one document; its kind is read from the body, which is what was signed.

        Other kinds count as answered: EasyPost disables an endpoint that refuses its events.
        """
        try:
            event = read_object(receipt.body)
        except Rejected as error:
            return Decoded((Refusal(0, "body", error, receipt.flow),))
        return Decoded((_document(event),))

    def encode(self, flow: str, body: Json, numbers: Numbers) -> bytes:  # noqa: ARG002
        """Nothing is written to EasyPost."""
        raise Rejected("flow_not_written", "", "the hub writes nothing to EasyPost")


def _document(event: Json) -> SourceDocument | Refusal:
    flow, where = flow_of(event), _where(event)
    if flow != TRACKER_UPDATED:
        unhandled = Rejected("flow_not_handled", "description", "expected a tracker event")
        return Refusal(0, where, unhandled, flow, answered=True)
    if not isinstance(event.get("result"), dict):
        empty = Rejected("event_without_result", "result", "expected the tracker")
        return Refusal(0, where, empty, flow)
    return SourceDocument(flow, 0, where, event, _control(event))


def _where(event: Json) -> str:
    """The event's id, by which EasyPost's people find it; only where it is one."""
    event_id = event.get("id")
    named = isinstance(event_id, str) and _EVENT_ID.fullmatch(event_id)
    return f"event {event_id}" if named else "event"


def _control(event: Json) -> dict[str, str]:
    mode = event.get("mode")
    return {"mode": mode} if mode in ("test", "production") else {}
