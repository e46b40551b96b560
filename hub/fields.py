"""The fields of canonical documents by name, as contracts speak of them.

A field of a line is ``lines.quantity.value``: positions do not count.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from canonical import DOCUMENTS
from canonical.envelope import schema_name
from hub.schema import json_schemas

_DEEP = 8


def known_fields(entity: str) -> frozenset[str]:
    """All fields of an entity, inner ones included."""
    return frozenset(field_types(entity))


def field_types(entity: str) -> Mapping[str, str]:
    """Field -> what may stand there, in a few words: ``text``, ``list``, ``required text``."""
    return _all_fields()[entity]


@cache
def _all_fields() -> Mapping[str, Mapping[str, str]]:
    """Describing the models takes a second, and they do not change while a program runs."""
    schemas = json_schemas()
    found = {}
    for entity, model in DOCUMENTS.items():
        schema = schemas[schema_name(entity, model.version)]
        found[entity] = dict(_fields(schema, schema.get("$defs", {}), "", 0))
    return found


def _fields(
    schema: dict[str, Any], defs: dict[str, Any], prefix: str, depth: int
) -> Iterator[tuple[str, str]]:
    if depth > _DEEP:
        return
    for option in _options(schema, defs):
        required = set(option.get("required", ()))
        for name, inner in option.get("properties", {}).items():
            path = f"{prefix}{name}"
            must = "required " if name in required else ""
            yield path, must + _words(inner, defs)
            yield from _fields(inner, defs, f"{path}.", depth + 1)


def _options(schema: dict[str, Any], defs: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The objects that a schema may mean: behind references, unions and lists."""
    if "$ref" in schema:
        yield from _options(defs.get(schema["$ref"].rpartition("/")[2], {}), defs)
    for union in ("anyOf", "oneOf", "allOf"):
        for each in schema.get(union, ()):
            yield from _options(each, defs)
    if isinstance(schema.get("items"), dict):
        yield from _options(schema["items"], defs)
    if "properties" in schema:
        yield schema


def _words(schema: dict[str, Any], defs: dict[str, Any]) -> str:
    if "$ref" in schema:
        return _words(defs.get(schema["$ref"].rpartition("/")[2], {}), defs)
    if "enum" in schema:
        return "one of " + ", ".join(sorted(map(str, schema["enum"])))
    for union in ("anyOf", "oneOf", "allOf"):
        if union in schema:
            words = {_words(each, defs) for each in schema[union]} - {"null"}
            return " or ".join(sorted(words))
    kind = schema.get("type", "anything")
    names = {"string": "text", "array": "list"}
    return " or ".join(
        names.get(each, each) for each in ([kind] if isinstance(kind, str) else kind)
    )


def field_of(place: str) -> str:
    """The field that a place stands in: ``lines[3].quantity.value`` -> ``lines.quantity.value``."""
    name = ""
    for part in place.split("."):
        name += "." + part.partition("[")[0]
    return name.removeprefix(".")


def counts(place: str, relied: tuple[str, ...]) -> bool:
    """Whether a place is in, or around, one of the fields that a contract relies on."""
    field = field_of(place)
    return any(
        field == each or field.startswith(f"{each}.") or each.startswith(f"{field}.")
        for each in relied
    )
