"""The jobs themselves, in the calling process: what comes of a receipt and of a document."""

from __future__ import annotations

import orjson
import pytest

from canonical.errors import ConfigError, Rejected
from canonical.order import Order
from connectors.base import Receipt
from hub.servers.nats import MAX_PAYLOAD
from hub.workers import reading
from hub.workers.jobs import (
    Acknowledged,
    EncodeJob,
    Failed,
    Given,
    Normalized,
    NormalizeResult,
    RenderJob,
)
from hub.workers.progress import DECODE, NoProgress
from hub.workers.tools import Tools
from hub.workers.writing import encode, render
from tests.support.paper import NOW, paper_numbers, paper_order, paper_receipt, paper_spec

GIVEN = Given(2.0, NoProgress())


@pytest.fixture
def tools() -> Tools:
    """Tools of the paper system."""
    return Tools(paper_spec(odd='{"po_number": po}', empty="nowhere"))


def normalize(tools: Tools, receipt: Receipt, given: Given) -> NormalizeResult:
    (result,) = reading.normalize(tools, [(receipt, given)])
    return result


def only(result: NormalizeResult) -> Normalized | Failed | Acknowledged:
    (document,) = result.documents
    return document


def failure(result: NormalizeResult) -> Failed:
    document = only(result)
    assert isinstance(document, Failed)
    return document


def test_a_receipt_becomes_a_canonical_document_with_its_identities(tools: Tools) -> None:
    document = only(normalize(tools, paper_receipt(paper_order()), GIVEN))
    assert isinstance(document, Normalized)
    assert document.place == "sheet 0"
    assert document.control == {"sheet": "0"}
    assert document.entity == "order"
    assert document.business_key == "order/acme/4711/"
    assert document.po_key == "C10010|4711"
    assert document.number == "4711"
    assert document.amount == "105.00"
    assert document.currency == "USD"
    assert (document.purpose, document.sequence) == ("original", 0)
    assert len(document.content_id) == 64
    assert len(document.mapping_version) == 12
    order = Order.model_validate_json(document.canonical_json)
    assert order.references[0].value == "0"
    assert b"null" not in document.canonical_json
    assert b": " not in document.canonical_json


def test_the_same_receipt_gives_the_same_result(tools: Tools) -> None:
    receipt = paper_receipt(paper_order(), paper_order(po="4712", qty="x"))
    first, second = (normalize(tools, receipt, GIVEN) for _ in range(2))
    assert repr(first) == repr(second)


def test_good_documents_are_not_held_up_by_bad_ones(tools: Tools) -> None:
    receipt = paper_receipt(
        paper_order(po="1"),
        paper_order(po="2", qty="1,5"),
        {"flow": "order", "refuse": "sheet_torn"},
        paper_order(po="4", uom="??"),
        {"flow": "unheard", "body": {}},
        paper_order(po="6"),
    )
    found = [
        (d.position, getattr(d, "stage", "ok"), d.error.code if isinstance(d, Failed) else "")
        for d in normalize(tools, receipt, GIVEN).documents
    ]
    assert found == [
        (0, "ok", ""),
        (1, "map", "mapping_not_decimal"),
        (2, "decode", "sheet_torn"),
        (3, "map", "code_unknown"),
        (4, "map", "mapping_missing"),
        (5, "ok", ""),
    ]


def test_a_refusal_keeps_whether_the_sender_was_told(tools: Tools) -> None:
    receipt = paper_receipt({"flow": "order", "refuse": "sheet_torn"})
    failed = failure(normalize(tools, receipt, GIVEN))
    assert failed.answered
    assert failed.entity is None


def test_a_failure_names_the_place_in_the_source(tools: Tools) -> None:
    failed = failure(normalize(tools, paper_receipt(paper_order(qty="1,5")), GIVEN))
    assert failed.error.where == "mappings/paper/order.order.jsonata: lines[0].qty"
    assert failed.mapping_version is not None
    assert failed.entity == "order"


def test_a_result_that_is_not_canonical_is_refused_field_by_field(tools: Tools) -> None:
    failed = failure(normalize(tools, paper_receipt({"flow": "odd", "body": {"po": "1"}}), GIVEN))
    assert (failed.stage, failed.error.code) == ("validate", "canonical_invalid")
    assert set(failed.error.where.split("; ")) == {"buyer", "currency", "ordered_on", "lines"}


def test_a_mapping_that_gives_nothing_is_refused(tools: Tools) -> None:
    failed = failure(normalize(tools, paper_receipt({"flow": "empty", "body": {}}), GIVEN))
    assert (failed.stage, failed.error.code) == ("map", "mapping_undefined")


def test_a_codec_that_raises_loses_its_receipt_and_says_no_value(tools: Tools) -> None:
    failed = failure(normalize(tools, paper_receipt(misbehave="raise"), GIVEN))
    assert (failed.stage, failed.error.code) == ("decode", "internal_error")
    assert failed.error.detail == "KeyError"
    assert failed.error.where.startswith("paper.py:")
    assert "secret" not in str(failed.error)


def test_an_unknown_connection_is_a_failure_and_no_crash(tools: Tools) -> None:
    receipt = Receipt("r", "nobody", "d", NOW, b"{}")
    assert failure(normalize(tools, receipt, GIVEN)).error.code == "connection_unknown"


def test_acknowledgements_are_kept_as_they_came(tools: Tools) -> None:
    receipt = paper_receipt({"flow": "receipt", "body": {"seen": "4711"}})
    document = only(normalize(tools, receipt, GIVEN))
    assert isinstance(document, Acknowledged)
    assert document.body == {"seen": "4711"}


def test_answers_come_back_beside_the_documents(tools: Tools) -> None:
    receipt = paper_receipt(paper_order(), answers=[{"flow": "note", "body": {"ok": "yes"}}])
    (answer,) = normalize(tools, receipt, GIVEN).answers
    assert (answer.flow, answer.body) == ("note", {"ok": "yes"})


def test_steps_that_are_blamed_are_not_tried_again(tools: Tools) -> None:
    receipt = paper_receipt(paper_order(po="1"), paper_order(po="2"))
    given = GIVEN._replace(blamed={1: "worker_timeout"})
    first, second = normalize(tools, receipt, given).documents
    assert isinstance(first, Normalized)
    assert isinstance(second, Failed)
    assert (second.stage, second.error.code) == ("map", "worker_timeout")
    assert second.error.where == "mappings/paper/order.order.jsonata"


def test_each_step_is_announced_before_it_begins(tools: Tools) -> None:
    class Notes:
        steps: list[tuple[int, float]]

        def __init__(self) -> None:
            self.steps = []

        def begin(self, step: int, seconds: float) -> None:
            self.steps.append((step, seconds))

    notes = Notes()
    receipt = paper_receipt(paper_order(po="1"), {"flow": "x", "body": {}}, paper_order(po="2"))
    normalize(tools, receipt, Given(2.0, notes))
    assert [step for step, _ in notes.steps] == [DECODE, 0, 1, 0, 1]
    assert notes.steps[0][1] > 2.0  # a large receipt may be read for longer
    assert notes.steps[1][1] == 2.0


def test_a_document_is_rendered_for_a_target(tools: Tools) -> None:
    canonical = orjson.dumps({"po_number": "4711", "unused": "x"})
    job = RenderJob("desk", "order", "note", canonical, {"reference": "XD1"}, paper_numbers())
    made = render(tools, job, GIVEN)
    assert made.body == {"title": "4711", "ref": "XD1"}
    assert made.encoded == b'note 7 {"title": "4711", "ref": "XD1"}'
    assert len(made.mapping_version) == 12


def test_a_missing_outbound_mapping_is_a_fault_of_the_set_up(tools: Tools) -> None:
    job = RenderJob("desk", "order", "letter", b"{}", {}, paper_numbers())
    with pytest.raises(ConfigError) as error:
        render(tools, job, GIVEN)
    assert error.value.code == "mapping_missing"


def test_a_body_is_encoded_as_it_stands(tools: Tools) -> None:
    job = EncodeJob("desk", "note", {"ok": "yes"}, paper_numbers())
    assert encode(tools, job, GIVEN) == b'note 7 {"ok": "yes"}'
    with pytest.raises(Rejected):
        encode(tools, job._replace(body={"refuse": True}), GIVEN)


def test_a_document_that_no_event_can_carry_is_refused_where_it_is_read(
    tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    (fine,) = normalize(tools, paper_receipt(paper_order()), GIVEN).documents
    assert isinstance(fine, Normalized)
    monkeypatch.setattr(reading, "MOST_DOCUMENT_BYTES", len(fine.canonical_json) - 1)
    refused = failure(normalize(tools, paper_receipt(paper_order()), GIVEN))
    assert (refused.stage, refused.error.code) == ("validate", "document_too_large")


def test_an_event_has_room_for_its_envelope_around_the_largest_document() -> None:
    assert reading.MOST_DOCUMENT_BYTES + 64_000 < MAX_PAYLOAD
