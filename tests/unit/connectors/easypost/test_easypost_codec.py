"""EasyPost's events: trackers are read, other kinds answered, the rest refused."""

from __future__ import annotations

import json

import pytest

from canonical.errors import Rejected
from connectors.base import Numbers, Receipt, Refusal, SourceDocument
from connectors.easypost.codec import EasyPostCodec
from tests.support.connector_samples import RECEIVED_AT

EVENT = {
    "id": "evt_6f1c0d2e4b7a4f0c9d3e5a1b2c3d4e5f",
    "description": "tracker.updated",
    "mode": "test",
    "result": {"tracking_code": "EZ1000000001"},
}


def _decode(body: object, flow: str = "tracker.updated") -> SourceDocument | Refusal:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    receipt = Receipt("r", "tracking", "d", RECEIVED_AT, data, flow)
    (document,) = EasyPostCodec().decode(receipt).documents
    return document


@pytest.mark.parametrize("kind", ["tracker.updated", "tracker.created"])
def test_both_kinds_of_tracker_events_are_one_flow(kind: str) -> None:
    event = {**EVENT, "description": kind}
    assert _decode(event) == SourceDocument(
        "tracker.updated", 0, f"event {EVENT['id']}", event, {"mode": "test"}
    )


def test_the_kind_is_read_from_the_signed_body_not_from_the_transport() -> None:
    assert isinstance(_decode(EVENT, "batch.updated"), SourceDocument)


@pytest.mark.parametrize("kind", ["batch.updated", "scan_form.created", "", None, 7])
def test_other_kinds_are_answered(kind: object) -> None:
    document = _decode({**EVENT, "description": kind})
    assert isinstance(document, Refusal)
    assert (document.error.code, document.answered) == ("flow_not_handled", True)


@pytest.mark.parametrize("result", [None, [], "x"])
def test_an_event_without_its_tracker_is_for_a_person(result: object) -> None:
    document = _decode({**EVENT, "result": result})
    assert isinstance(document, Refusal)
    assert (document.error.code, document.answered) == ("event_without_result", False)


@pytest.mark.parametrize("mode", [None, "live", 1, ["test"]])
def test_a_mode_that_is_none_is_left_out(mode: object) -> None:
    document = _decode({**EVENT, "mode": mode})
    assert isinstance(document, SourceDocument)
    assert document.control == {}


def test_a_body_that_cannot_be_read_is_for_a_person() -> None:
    document = _decode(b'{"id": ')
    assert isinstance(document, Refusal)
    assert (document.error.code, document.answered) == ("json_syntax", False)


def test_nothing_is_written_to_easypost() -> None:
    with pytest.raises(Rejected, match="flow_not_written"):
        EasyPostCodec().encode("tracker.updated", {}, Numbers(1, 1, RECEIVED_AT))
