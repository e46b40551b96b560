"""Tracker events."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from sandbox.easypost import Carrier, Tracker, created, event, scanned, signing
from sandbox.world import Effect

TRACKER = Tracker("trk_1", "1Z1", "UPS", "XD1", "2026-03-02T10:11:12Z")
PLACE = {"city": "CHICAGO", "state": "IL", "country": "US", "zip": "60601"}


def _entry(effect: Effect) -> dict[str, object]:
    return {"effect": effect.effect, "reference": effect.reference, **effect.data}


def test_every_event_carries_the_whole_history(now: datetime) -> None:
    once = scanned(TRACKER, "pre_transit", now, PLACE)
    twice = scanned(once, "in_transit", now, PLACE)
    body = event(once, twice, "e1", now)
    assert body["previous_attributes"] == {"status": "pre_transit"}
    result = body["result"]
    assert result["status"] == "in_transit"
    assert [one["status"] for one in result["tracking_details"]] == ["pre_transit", "in_transit"]
    assert result["tracking_details"][0]["datetime"] == "2026-03-02T10:11:12Z"


def test_the_signature_is_over_the_normalised_secret() -> None:
    header = "X-Hmac-Signature"
    composed, decomposed = "s\u00e9cret", "se\u0301cret"
    good = signing(composed)["good"](b"body")[header]
    digest = hmac.new(decomposed.encode(), b"body", hashlib.sha256).hexdigest()
    assert good == f"hmac-sha256-hex={digest}".encode()
    assert signing(decomposed)["good"](b"body")[header] == good
    assert signing(composed)["bad"](b"body")[header] != good


def test_parcels_come_back_from_the_journal_and_the_delivered_are_done(now: datetime) -> None:
    carrier = Carrier()
    carrier.apply(_entry(created(TRACKER)))
    assert [tracker.tracking_code for tracker in carrier.open()] == ["1Z1"]
    moved = scanned(TRACKER, "delivered", now, PLACE)
    carrier.apply(_entry(created(moved)))
    assert carrier.trackers["1Z1"] == moved
    assert carrier.open() == []
    carrier.apply(_entry(created(replace(TRACKER, tracking_code="1Z2", automatic=False))))
    assert carrier.open() == []


def test_an_event_has_what_a_documented_one_has(now: datetime, samples: Path) -> None:
    folder = samples / "api" / "easypost"
    documented = json.loads((folder / "ex_json_tracking-webhook.json").read_text())
    built = event(TRACKER, scanned(TRACKER, "in_transit", now, PLACE), "e1", now)
    assert documented.keys() <= built.keys()
    assert documented["result"].keys() <= built["result"].keys()
    detail = documented["result"]["tracking_details"][0]
    assert detail.keys() <= built["result"]["tracking_details"][0].keys()
