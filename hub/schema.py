"""The hub's contract with those who listen: JSON Schema 2020-12 and AsyncAPI 3.0.0.

Both are read off the canonical models, so they cannot say anything else than the code does.

FastStream can write an AsyncAPI document of its publishers, and it was tried: it puts a correlation
id into every message that ours do not have, and has no place for content types, headers, examples
and the CloudEvents envelope. So the document is built here.

Code of the `ConfigError` raised here: ``folder_unwritable``.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from canonical import DOCUMENTS
from canonical.envelope import UNVERSIONED, VERBS, CloudEvent, Verb, event_type, schema_name
from canonical.errors import ConfigError
from canonical.examples import EXAMPLES
from canonical.identity import business_key, content_id, event_id
from hub.topology import canonical_subject

Schema = dict[str, Any]

CONTRACT_VERSION = "1.0.0"
"""Version of the contract as a whole; the second number rises when something is added."""

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_DEFS = "#/$defs/"
_COMPONENTS = "#/components/schemas/"
_CONTENT_TYPE = "application/cloudevents+json"


class _Untitled(GenerateJsonSchema):
    """Leaves out titles such as "Po Number", which only repeat the field's name."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002  # overridden
        return False


def json_schemas() -> dict[str, Schema]:
    """Describe every document, and the event that carries it.

    Returns:
        ``order.v1`` -> what the hub takes as an order: strict, an unknown field is an error.
        ``order.v1.event`` -> what it publishes of one: here unknown fields are allowed, because
        listeners have to pass over them. A version only ever grows.

    """
    schemas: dict[str, Schema] = {}
    for entity, model in DOCUMENTS.items():
        name = schema_name(entity, model.version)
        defs = _describe([model], _DEFS)
        schemas[name] = _named(name, defs.pop(model.__name__), defs, [EXAMPLES[entity]])
        defs = _open(_describe([model, CloudEvent], _DEFS))
        event = _event_of(entity, defs.pop(CloudEvent.__name__), _DEFS)
        examples = [example_event(entity, verb) for verb in VERBS[entity]]
        schemas[f"{name}.event"] = _named(f"{name}.event", event, defs, examples)
    return schemas


def asyncapi() -> Schema:
    """Describe the channels that the hub publishes on, as an AsyncAPI 3.0.0 document."""
    schemas = _open(_describe([*DOCUMENTS.values(), CloudEvent], _COMPONENTS))
    envelope = schemas.pop(CloudEvent.__name__)
    channels, operations, messages = {}, {}, {}
    for entity in DOCUMENTS:
        schemas[_event_name(entity)] = _event_of(entity, envelope, _COMPONENTS)
        for verb in VERBS[entity]:
            name, address = f"{entity}.{verb}", canonical_subject(entity, verb)
            messages[name] = _message(entity, verb)
            channels[name] = _channel(entity, verb, address)
            operations[f"publish.{name}"] = _operation(name)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "crossdock",
            "version": CONTRACT_VERSION,
            "description": (
                "Canonical documents as CloudEvents 1.0 on NATS JetStream. Documents with the same"
                " `partitionkey` arrive in order, and `keyversion` tells where one came late; the"
                " same event may arrive twice, with the same `id`. Within a version fields are only ever added: pass over unknown ones."
            ),
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": _CONTENT_TYPE,
        "servers": {"nats": _SERVER},
        "channels": channels,
        "operations": operations,
        "components": {"schemas": schemas, "messages": messages},
    }


def write(folder: Path) -> list[Path]:
    """Write every schema and ``asyncapi.json`` into `folder`, which is made where it is missing.

    The same code writes the same bytes, so that a repository can keep and compare them.

    Raises:
        ConfigError: ``folder_unwritable``.

    """
    files = {f"{name}.schema.json": schema for name, schema in json_schemas().items()}
    files["asyncapi.json"] = asyncapi()
    paths = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in sorted(files.items()):
            text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
            path = folder / name
            path.write_text(text, encoding="utf-8")
            paths.append(path)
    except OSError as error:
        detail = error.strerror or "cannot be written"
        raise ConfigError("folder_unwritable", str(folder), detail) from error
    return paths


def example_event(entity: str, verb: Verb) -> Schema:
    """Make an event as it is published, around the entity's example document."""
    model = DOCUMENTS[entity]
    document = model.model_validate_json(json.dumps(EXAMPLES[entity]))
    key, content = business_key(document, "acme"), content_id(document)
    version = {} if entity in UNVERSIONED else {"keyversion": 1}
    return {
        "specversion": "1.0",
        "id": event_id(key, content, verb, 1),
        "source": "/connections/acme-edi",
        "type": event_type(entity, verb, model.version),
        "subject": str(key),
        "time": "2026-03-02T14:05:09.120000Z",
        "datacontenttype": "application/json",
        "dataschema": _id_of(schema_name(entity, model.version)),
        "partitionkey": str(key),
        "documentid": "5f0c9d1e-52f5-5b55-9d5e-8c1f0c2c7a11",
        "contentid": content,
        **version,
        "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "data": EXAMPLES[entity],
    }


def _describe(models: Sequence[type[BaseModel]], place: str) -> dict[str, Schema]:
    """Schemas of `models` and of everything that they are made of, by name; `$ref`s into `place`."""
    _, schemas = models_json_schema(
        [(model, "validation") for model in models],
        ref_template=place + "{model}",
        schema_generator=_Untitled,
    )
    return dict(schemas["$defs"])


def _named(name: str, schema: Schema, defs: dict[str, Schema], examples: list[Schema]) -> Schema:
    """A schema that stands alone, with its id first and its parts last."""
    head = {"$schema": _DIALECT, "$id": _id_of(name)}
    return head | schema | {"examples": examples, "$defs": defs}


def _id_of(name: str) -> str:
    return f"crossdock:schema:{name}"


def _event_name(entity: str) -> str:
    # Not "...Event": a TrackingEvent is a scan within a Tracking.
    return f"{DOCUMENTS[entity].__name__}CloudEvent"


def _event_of(entity: str, envelope: Schema, place: str) -> Schema:
    """The envelope, narrowed to the events of one entity."""
    model = DOCUMENTS[entity]
    fields: dict[str, Schema] = dict(envelope["properties"])
    fields["type"] = fields["type"] | {
        "enum": [event_type(entity, verb, model.version) for verb in VERBS[entity]]
    }
    fields["dataschema"] = fields["dataschema"] | {
        "const": _id_of(schema_name(entity, model.version))
    }
    fields["data"] = {"$ref": f"{place}{model.__name__}"}
    always = ["specversion", "datacontenttype"]  # they have defaults, and are always written
    return envelope | {
        "title": _event_name(entity),
        "properties": fields,
        "required": [*envelope["required"], *always],
    }


def _open(schemas: Any) -> Any:  # any JSON, for it walks down into it
    """A copy that lets unknown fields pass; maps with a schema of their own stay as they are."""
    if isinstance(schemas, dict):
        return {
            key: _open(value)
            for key, value in schemas.items()
            if not (key == "additionalProperties" and value is False)
        }
    return [_open(value) for value in schemas] if isinstance(schemas, list) else schemas


def _message(entity: str, verb: Verb) -> Schema:
    model = DOCUMENTS[entity]
    return {
        "name": event_type(entity, verb, model.version),
        "title": f"{model.__name__} {verb}",
        "summary": (model.__doc__ or "").splitlines()[0],
        "contentType": _CONTENT_TYPE,
        "headers": _HEADERS,
        "payload": {"$ref": f"{_COMPONENTS}{_event_name(entity)}"},
        "examples": [{"name": entity, "payload": example_event(entity, verb)}],
    }


def _channel(entity: str, verb: Verb, address: str) -> Schema:
    return {
        "address": address,
        "title": f"{DOCUMENTS[entity].__name__} {verb}",
        "description": _MEANINGS[verb],
        "servers": [{"$ref": "#/servers/nats"}],
        "messages": {"event": {"$ref": f"#/components/messages/{entity}.{verb}"}},
    }


def _operation(name: str) -> Schema:
    return {
        "action": "send",
        "channel": {"$ref": f"#/channels/{name}"},
        "messages": [{"$ref": f"#/channels/{name}/messages/event"}],
        "summary": "The hub publishes; listeners make a durable JetStream consumer of their own.",
    }


_MEANINGS: dict[Verb, str] = {
    "accepted": "It came in and is on record; nothing has been done about it yet.",
    "released": "It has passed its control points: targets may act on it.",
    "changed": "A change to a known document is in force.",
    "cancelled": "The document was withdrawn.",
    "recorded": "A document that needs no release is on record.",
}

_SERVER: Schema = {
    "host": "{address}",
    "protocol": "nats",
    "description": "JetStream, stream CANONICAL.",
    "variables": {
        "address": {
            "default": "localhost:4222",
            "description": "The hub's `servers.nats_url`, or its embedded server's host and port.",
        }
    },
}

_HEADERS: Schema = {
    "type": "object",
    "properties": {
        "Nats-Msg-Id": {"type": "string", "description": "The event's `id`: NATS drops repeats."},
        "Content-Type": {"type": "string", "const": _CONTENT_TYPE},
        "traceparent": {"type": "string", "description": "W3C Trace Context."},
    },
    "required": ["Nats-Msg-Id", "Content-Type"],
}
