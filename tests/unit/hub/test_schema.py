"""The published contract: it is well formed, it says what the code does, and it can be checked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker
from pydantic import ValidationError

from canonical import DOCUMENTS
from canonical.base import Canonical
from canonical.envelope import VERBS, CloudEvent
from canonical.errors import ConfigError
from canonical.examples import EXAMPLES
from canonical.quantity import Quantity
from hub.events import Subject, canonical_event
from hub.schema import asyncapi, example_event, json_schemas, write
from hub.topology import canonical_subject

SCHEMAS = json_schemas()
ASYNCAPI = asyncapi()
MESSAGES = [(entity, verb) for entity, verbs in VERBS.items() for verb in verbs]


def problems(schema: dict[str, Any], instance: object) -> list[str]:
    """Where an instance breaks a schema."""
    checker = Draft202012Validator(schema, format_checker=FormatChecker())
    return sorted({error.json_path for error in checker.iter_errors(instance)})


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    """Every object in a JSON document."""
    if isinstance(value, dict):
        yield value
        for child in value.values():
            yield from nodes(child)
    elif isinstance(value, list):
        for child in value:
            yield from nodes(child)


def at(document: Any, pointer: str) -> Any:
    """What a local JSON pointer (RFC 6901) leads to."""
    for step in pointer.removeprefix("#/").split("/"):
        document = document[step]
    return document


def models(base: type[Canonical] = Canonical) -> Iterator[type[Canonical]]:
    for model in base.__subclasses__():
        if model.__module__.startswith("canonical."):
            yield model
            yield from models(model)


def test_there_is_a_schema_of_every_document_and_of_its_event() -> None:
    names = {f"{entity}.v{model.version}" for entity, model in DOCUMENTS.items()}
    assert set(SCHEMAS) == names | {f"{name}.event" for name in names}


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_valid_json_schema_under_its_own_name(name: str) -> None:
    Draft202012Validator.check_schema(SCHEMAS[name])
    assert SCHEMAS[name]["$id"] == f"crossdock:schema:{name}"
    assert SCHEMAS[name]["$schema"] == Draft202012Validator.META_SCHEMA["$schema"]


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_reference_in_a_schema_leads_somewhere(name: str) -> None:
    references = [node["$ref"] for node in nodes(SCHEMAS[name]) if "$ref" in node]
    assert references
    assert all(isinstance(at(SCHEMAS[name], reference), dict) for reference in references)


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_examples_of_a_schema_keep_to_it(name: str) -> None:
    assert SCHEMAS[name]["examples"]
    for example in SCHEMAS[name]["examples"]:
        assert problems(SCHEMAS[name], example) == []


@pytest.mark.parametrize("name", SCHEMAS)
def test_no_schema_speaks_of_binary_numbers(name: str) -> None:
    assert not [node for node in nodes(SCHEMAS[name]) if node.get("type") == "number"]


DECIMAL_FIELDS = sorted(
    {
        (model.__name__, name)
        for model in models()
        for name, field in model.model_fields.items()
        if field.annotation is Decimal or Decimal in get_args(field.annotation)
    }
)


def test_money_prices_and_quantities_have_decimal_fields() -> None:
    assert {("Money", "amount"), ("Price", "amount"), ("Price", "per"), ("Quantity", "value")} <= {
        *DECIMAL_FIELDS
    }


@pytest.mark.parametrize(("model", "field"), DECIMAL_FIELDS)
def test_a_decimal_is_text_with_a_pattern(model: str, field: str) -> None:
    places = [
        s["$defs"][model]["properties"][field] for s in SCHEMAS.values() if model in s["$defs"]
    ]
    places.append(ASYNCAPI["components"]["schemas"][model]["properties"][field])
    assert len(places) > 1
    for place in places:
        assert place["type"] == "string"
        assert place["pattern"].startswith("^-?(0|[1-9][0-9]{0,17})(")
        assert place["pattern"].endswith("$")


@given(st.text("0123456789.-+eE ", max_size=12) | st.decimals().map(str))
def test_the_pattern_takes_exactly_what_the_model_takes(text: str) -> None:
    body = {"value": text, "unit": "EA"}
    schema = {"$ref": "#/$defs/Quantity", "$defs": SCHEMAS["order.v1"]["$defs"]}
    try:
        Quantity.model_validate_json(json.dumps(body))
    except ValidationError:
        assert problems(schema, body) == ["$.value"]
    else:
        assert problems(schema, body) == []


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"po_number": 4711}, "$.po_number"),
        ({"po_number": "   "}, "$.po_number"),
        ({"po_number": "47\n11"}, "$.po_number"),
        ({"currency": "XXX"}, "$.currency"),
        ({"lines": []}, "$.lines"),
        ({"ordered_on": "03/02/2026"}, "$.ordered_on"),
        ({"total": {"amount": 12.5, "currency": "USD"}}, "$.total"),
        ({"colour": "blue"}, "$"),
    ],
)
def test_what_the_hub_refuses_breaks_the_schema_of_the_document(
    change: dict[str, Any], where: str
) -> None:
    assert problems(SCHEMAS["order.v1"], EXAMPLES["order"] | change) == [where]


def test_a_listener_may_meet_new_fields_in_an_event_and_in_its_document() -> None:
    event = example_event("order", "released")
    grown = event | {"newattribute": "x", "data": event["data"] | {"colour": "blue"}}
    assert not problems(SCHEMAS["order.v1.event"], grown)


@pytest.mark.parametrize(
    "change",
    [
        {"id": ""}, {"specversion": "0.3"}, {"type": "crossdock.order.recorded.v1"},
        {"dataschema": "crossdock:schema:invoice.v1"}, {"contentid": "abc"},
        {"data": EXAMPLES["customer"]}, {"time": "yesterday"},
    ],
    ids=lambda change: next(iter(change)),
)  # fmt: skip
def test_an_event_of_something_else_breaks_the_schema_of_the_event(change: dict[str, Any]) -> None:
    assert problems(SCHEMAS["order.v1.event"], example_event("order", "released") | change)


@pytest.mark.parametrize(("entity", "verb"), MESSAGES)
def test_what_the_hub_publishes_keeps_to_the_contract(entity: str, verb: Any) -> None:
    example = example_event(entity, verb)
    document = DOCUMENTS[entity].model_validate_json(json.dumps(EXAMPLES[entity]))
    subject = Subject(
        event_id=example["id"],
        entity=entity,
        verb=verb,
        connection="acme-edi",
        business_key=example["subject"],
        document_id=example["documentid"],
        content_id=example["contentid"],
        traceparent=example["traceparent"],
        version=example.get("keyversion"),
    )
    data = document.model_dump_json(exclude_none=True).encode()
    event = canonical_event(subject, data, datetime(2026, 3, 2, 14, 5, 9, 120_000, UTC))
    payload = json.loads(event.payload)
    assert problems(SCHEMAS[f"{entity}.v1.event"], payload) == []
    assert payload | {"data": None} == example | {"data": None}
    assert CloudEvent.model_validate_json(event.payload).subject == example["subject"]
    assert event.subject in {channel["address"] for channel in ASYNCAPI["channels"].values()}


def test_the_asyncapi_document_has_its_parts() -> None:
    assert ASYNCAPI["asyncapi"] == "3.0.0"
    assert set(ASYNCAPI) == {
        "asyncapi", "info", "defaultContentType", "servers", "channels", "operations", "components",
    }  # fmt: skip
    assert {"title", "version"} <= set(ASYNCAPI["info"])
    assert json.loads(json.dumps(ASYNCAPI)) == ASYNCAPI


def test_the_server_is_nats_at_an_address_that_can_be_set() -> None:
    (server,) = ASYNCAPI["servers"].values()
    assert server["protocol"] == "nats"
    assert set(server["variables"]) == {"address"}
    assert server["host"] == "{address}"


def test_no_event_takes_the_name_of_a_model() -> None:
    components = set(ASYNCAPI["components"]["schemas"])
    expected = {model.__name__ for model in models()} - {"CloudEvent", "Document"}
    assert components >= expected | {f"{model.__name__}CloudEvent" for model in DOCUMENTS.values()}
    assert "message" in ASYNCAPI["components"]["schemas"]["TrackingEvent"]["properties"]


def test_every_reference_in_the_asyncapi_document_leads_somewhere() -> None:
    references = [node["$ref"] for node in nodes(ASYNCAPI) if isinstance(node.get("$ref"), str)]
    assert len(references) > 90
    assert all(isinstance(at(ASYNCAPI, reference), dict) for reference in references)


def test_there_is_one_channel_and_one_operation_for_every_verb_of_every_entity() -> None:
    addresses = [channel["address"] for channel in ASYNCAPI["channels"].values()]
    assert sorted(addresses) == sorted(canonical_subject(*message) for message in MESSAGES)
    channels = [operation["channel"]["$ref"] for operation in ASYNCAPI["operations"].values()]
    assert sorted(channels) == sorted(f"#/channels/{name}" for name in ASYNCAPI["channels"])
    assert {operation["action"] for operation in ASYNCAPI["operations"].values()} == {"send"}


def test_an_operation_sends_the_messages_of_its_own_channel() -> None:
    for operation in ASYNCAPI["operations"].values():
        channel = operation["channel"]["$ref"]
        assert [m["$ref"] for m in operation["messages"]] == [f"{channel}/messages/event"]


@pytest.mark.parametrize("name", ASYNCAPI["components"]["messages"])
def test_a_message_is_an_event_and_its_examples_keep_to_its_payload(name: str) -> None:
    message = ASYNCAPI["components"]["messages"][name]
    schema = message["payload"] | {"components": ASYNCAPI["components"]}
    assert message["contentType"] == "application/cloudevents+json"
    assert message["headers"]["required"] == ["Nats-Msg-Id", "Content-Type"]
    assert message["examples"]
    for example in message["examples"]:
        assert problems(schema, example["payload"]) == []
        assert problems(schema, example["payload"] | {"data": {}})
        assert example["payload"]["type"] == message["name"]


def test_writing_gives_the_same_bytes_every_time(tmp_path: Path) -> None:
    first, second = write(tmp_path / "a" / "b"), write(tmp_path / "c")
    assert [p.name for p in first] == sorted(
        [f"{name}.schema.json" for name in SCHEMAS] + ["asyncapi.json"]
    )
    assert [p.read_bytes() for p in first] == [p.read_bytes() for p in second]
    assert json.loads((tmp_path / "c" / "order.v1.schema.json").read_text()) == SCHEMAS["order.v1"]
    assert json.loads((tmp_path / "c" / "asyncapi.json").read_text()) == ASYNCAPI


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    taken = tmp_path / "file"
    taken.write_text("")
    with pytest.raises(ConfigError) as caught:
        write(taken / "schemas")
    assert (caught.value.code, caught.value.where) == (
        "folder_unwritable",
        str(taken / "schemas"),
    )
