"""What every canonical document promises: strict, frozen, bounded, documented."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from canonical import DOCUMENTS, Document
from canonical.base import MAX_EXTENSIONS, Canonical, stamp
from canonical.envelope import VERBS, CloudEvent, event_type
from canonical.examples import EXAMPLES
from canonical.order import MAX_LINES, Order
from canonical.shipment import Tracking

MakeOrder = Callable[..., Order]


def refusals(
    model: type[BaseModel], body: dict[str, Any]
) -> list[tuple[tuple[int | str, ...], str]]:
    """Where and with what type of error a body is refused."""
    try:
        model.model_validate_json(json.dumps(body))
    except ValidationError as error:
        return [(e["loc"], e["type"]) for e in error.errors(include_input=False)]
    return []


def models(base: type[Canonical] = Canonical) -> Iterator[type[Canonical]]:
    for model in base.__subclasses__():
        yield model
        yield from models(model)


def test_every_entity_has_an_example_and_its_verbs() -> None:
    assert set(EXAMPLES) == set(DOCUMENTS) == set(VERBS)


def test_every_field_says_what_it_is() -> None:
    silent = [
        f"{model.__name__}.{name}"
        for model in models()
        if model.__module__.startswith("canonical.")
        for name, field in model.model_fields.items()
        if not field.description
    ]
    assert not silent


def test_an_unknown_field_is_refused(document: Document) -> None:
    body = EXAMPLES[document.entity] | {"colour": "blue"}
    assert refusals(type(document), body) == [(("colour",), "extra_forbidden")]


def test_a_document_cannot_be_changed(document: Document) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        setattr(document, next(iter(type(document).model_fields)), "x")


def test_a_number_where_text_belongs_is_refused() -> None:
    body = EXAMPLES["order"] | {"po_number": 4711}
    assert refusals(Order, body) == [(("po_number",), "string_type")]


@pytest.mark.parametrize("field", ["po_number", "release", "ship_method", "buyer_po_number"])
@pytest.mark.parametrize("character", ["\x00", "\n", "\r", "\x1f", "\x7f", "\x85", "\u2028"])
def test_control_characters_and_line_breaks_are_refused(field: str, character: str) -> None:
    body = EXAMPLES["order"] | {field: f"47{character}11"}
    assert refusals(Order, body) == [((field,), "string_pattern_mismatch")]


def test_a_blank_po_number_is_refused() -> None:
    body = EXAMPLES["order"] | {"po_number": "  "}
    assert refusals(Order, body) == [(("po_number",), "value_error")]


def test_an_order_without_lines_is_refused() -> None:
    assert refusals(Order, EXAMPLES["order"] | {"lines": []}) == [(("lines",), "too_short")]


def test_an_order_with_more_lines_than_may_be_is_refused_not_truncated() -> None:
    line = EXAMPLES["order"]["lines"][1]
    assert not refusals(Order, EXAMPLES["order"] | {"lines": [line] * MAX_LINES})
    too_many = EXAMPLES["order"] | {"lines": [line] * (MAX_LINES + 1)}
    assert refusals(Order, too_many) == [(("lines",), "too_long")]


def test_an_unknown_unit_is_refused_at_its_line() -> None:
    line = EXAMPLES["order"]["lines"][0] | {"quantity": {"value": "1", "unit": "PCS"}}
    body = EXAMPLES["order"] | {"lines": [EXAMPLES["order"]["lines"][1], line]}
    assert refusals(Order, body) == [(("lines", 1, "quantity", "unit"), "unit_unknown")]


def test_an_extension_without_a_name_is_refused() -> None:
    ((where, _),) = refusals(Order, EXAMPLES["order"] | {"extensions": {"": "x"}})
    assert where[0] == "extensions"


@pytest.mark.parametrize("value", ["a\x00b", "x" * 10_001])
def test_an_extension_that_cannot_be_stored_is_refused(value: str) -> None:
    body = EXAMPLES["order"] | {"extensions": {"BEG07": value}}
    ((where, _),) = refusals(Order, body)
    assert where == ("extensions", "BEG07")


def test_an_extension_may_have_line_breaks() -> None:
    assert not refusals(Order, EXAMPLES["order"] | {"extensions": {"note": "one\ntwo"}})


def test_extensions_are_bounded_in_number() -> None:
    many = {f"k{i}": "v" for i in range(MAX_EXTENSIONS + 1)}
    body = EXAMPLES["order"] | {"extensions": many}
    assert refusals(Order, body) == [(("extensions",), "too_long")]


@pytest.mark.parametrize("text", ["2026-02-30", "2026-3-2", "20260302", "1700000000", "03/02/2026"])
def test_a_date_is_an_iso_8601_calendar_date(text: str) -> None:
    ((where, _),) = refusals(Order, EXAMPLES["order"] | {"ordered_on": text})
    assert where == ("ordered_on",)


@pytest.mark.parametrize(
    "text",
    ["2026-03-06T09:14:00", "2026-03-06", "1700000000", "2026-03-06T25:00:00Z", "yesterday",
     "2026-03-06T09:14:00+99:00", ""],
)  # fmt: skip
def test_a_moment_without_an_offset_or_that_never_was_is_refused(text: str) -> None:
    ((where, _),) = refusals(Tracking, EXAMPLES["tracking"] | {"updated_at": text})
    assert where == ("updated_at",)


@pytest.mark.parametrize("entity", ["customer", "item", "inventory", "invoice"])
def test_a_change_stamp_that_cannot_be_read_is_refused(entity: str) -> None:
    body = EXAMPLES[entity] | {"modified_at": "last week"}
    assert refusals(DOCUMENTS[entity], body) == [(("modified_at",), "value_error")]


@pytest.mark.parametrize(
    ("text", "microseconds"),
    [
        (None, 0),
        ("1970-01-01T00:00:01Z", 1_000_000),
        ("1970-01-01T01:00:01+01:00", 1_000_000),
        ("1970-01-01T00:00:01", 1_000_000),
        ("1970-01-01T00:00:00.5930000Z", 593_000),
        ("0001-01-01T00:00:00Z", 0),
        ("9999-12-31T23:59:59Z", 253_402_300_799_000_000),
        ("no stamp", 0),
        ("", 0),
    ],
)
def test_a_stamp_is_counted_in_microseconds(text: str | None, microseconds: int) -> None:
    assert stamp(text) == microseconds


def test_snapshots_are_ordered_by_their_stamp(document: Document) -> None:
    assert (document.purpose() == "state") == (document.entity not in {
        "order", "order_change", "shipment", "receiving_advice", "stock_adjustment", "remittance",
        "application_advice",
    })  # fmt: skip
    if document.purpose() == "state":
        assert document.sequence() > 1_700_000_000_000_000


def test_a_change_says_its_purpose_and_its_place(make_order: MakeOrder) -> None:
    change = DOCUMENTS["order_change"].model_validate_json(json.dumps(EXAMPLES["order_change"]))
    assert (change.purpose(), change.sequence()) == ("change", 1)
    assert (make_order().purpose(), make_order().sequence()) == ("original", 0)


def test_the_key_fields_are_fields(document: Document) -> None:
    assert document.key_fields <= set(type(document).model_fields)


def test_an_envelope_keeps_its_document(document: Document) -> None:
    data = document.model_dump(mode="json", exclude_defaults=True)
    kind = event_type(document.entity, VERBS[document.entity][0], document.version)
    envelope = {
        "id": "e1", "source": "/connections/acme-edi", "type": kind, "subject": "order/acme/1/",
        "time": "2026-03-02T08:00:00Z", "dataschema": f"crossdock:schema:{document.entity}.v1",
        "partitionkey": "order/acme/1/", "documentid": "d1", "contentid": "0" * 64, "data": data,
    }  # fmt: skip
    event = CloudEvent.model_validate_json(json.dumps(envelope))
    assert type(document).model_validate_json(json.dumps(event.data)) == document
    assert refusals(CloudEvent, envelope | {"id": ""}) == [(("id",), "string_too_short")]
