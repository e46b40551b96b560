"""Trackers from the body to canonical Tracking: our own sample, and payloads that were published."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from canonical.shipment import Tracking
from connectors.base import Receipt, SourceDocument
from connectors.easypost.codec import EasyPostCodec
from hub.mapping.files import mapping_files, shipped_mappings
from hub.mapping.library import Library
from hub.mapping.validation import validate
from tests.support.connector_samples import RECEIVED_AT, ROOT


@pytest.fixture(scope="module")
def library() -> Library:
    return Library(mapping_files(shipped_mappings(), {"easypost"}))


def _tracking(library: Library, body: bytes) -> Tracking:
    receipt = Receipt("r", "tracking", "d", RECEIVED_AT, body, "tracker.updated")
    (document,) = EasyPostCodec().decode(receipt).documents
    assert isinstance(document, SourceDocument)
    (mapping,) = library.inbound("easypost", document.flow)
    mapped = mapping.mapping.apply(document.body, {"control": dict(document.control)})
    tracking = validate(mapping.entity, orjson.dumps(mapped))
    assert isinstance(tracking, Tracking)
    return tracking


def test_our_sample_becomes_a_history(library: Library) -> None:
    tracking = _tracking(
        library,
        (ROOT / "connectors/easypost/samples/tracker_updated/in_transit.json").read_bytes(),
    )
    assert (tracking.tracking_number, tracking.carrier) == ("1Z0000000000000001", "UPS")
    assert [(event.status, event.city) for event in tracking.events] == [
        ("pre_transit", None),
        ("in_transit", "SALEM"),
        ("in_transit", "PORTLAND"),
    ]
    assert tracking.sequence() == datetime(2026, 3, 4, 6, 12, 9, tzinfo=UTC).timestamp() * 1e6


def test_the_published_webhook_becomes_a_history(library: Library, samples: Path) -> None:
    body = (samples / "api/easypost/ex_json_tracking-webhook.json").read_bytes()
    tracking = _tracking(library, body)
    assert (tracking.tracking_number, tracking.status) == ("EZ4000000004", "delivered")
    assert [event.status for event in tracking.events] == [
        "pre_transit",
        "in_transit",
        "in_transit",
        "in_transit",
        "out_for_delivery",
        "delivered",
    ]
    assert tracking.events[1].country == "US"


def _trackers(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, dict):
        own = [value] if value.get("object") == "Tracker" and "tracking_details" in value else []
        return own + [found for item in value.values() for found in _trackers(item)]
    if isinstance(value, list):
        return [found for item in value for found in _trackers(item)]
    return []


def test_every_published_tracker_becomes_a_history(library: Library, samples: Path) -> None:
    found = [
        tracker
        for path in sorted((samples / "api/easypost").glob("*.json"))
        for tracker in _trackers(json.loads(path.read_bytes()))
    ]
    assert len(found) > 20
    for tracker in found:
        event = {"id": "evt_00000000", "description": "tracker.created", "result": tracker}
        tracking = _tracking(library, json.dumps(event).encode())
        assert tracking.tracking_number == tracker["tracking_code"]
        assert len(tracking.events) == len(tracker["tracking_details"])
