"""Whether a payload fits the JSON Schema that a contract promises: plain, OpenAPI or AsyncAPI.

Code of the `ConfigError` raised here: ``schema_invalid``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from jsonschema.exceptions import ValidationError as JsonSchemaError
from referencing import Registry, Resource
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from canonical.errors import ConfigError
from hub.contracts.model import Contract, Example
from hub.settings.yaml_file import read_yaml

_ROOT = "contract:schema"
_MOST = 20
_LONGEST = 60
_RULES = frozenset(Draft202012Validator.VALIDATORS) - {"$defs", "definitions", "format"}
"""Keywords that ask something of a payload (JSON Schema 2020-12)."""


def misfits(contract: Contract, example: Example, payload: bytes) -> Iterator[str]:
    """Where a payload does not fit the schema that the example names; nothing without one.

    Raises:
        ConfigError: ``schema_invalid``: the schema cannot be read, or is none.

    """
    if example.conforms_to is None:
        return
    try:
        value = orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        yield f"{example.conforms_to}: expected JSON, line {error.lineno}"
        return
    file, _, pointer = example.conforms_to.partition("#")
    try:
        root = _schema(contract, Path(file))
        # Only the file itself is known to the registry: nothing is ever fetched.
        resource = Resource.from_contents(root, default_specification=DRAFT202012)
        registry: Registry[Any] = Registry().with_resource(_ROOT, resource)
        place = f"{_ROOT}#{_schema_at(registry, pointer, example.conforms_to)}"
        validator = Draft202012Validator({"$ref": place}, registry=registry)
        errors = sorted(validator.iter_errors(value), key=lambda error: error.json_path)
    except (SchemaError, Unresolvable) as error:
        raise ConfigError("schema_invalid", example.conforms_to, type(error).__name__) from None
    lines = list(dict.fromkeys(line for each in errors for line in _lines(each)))
    for line in lines[:_MOST]:
        yield f"{line} of {example.conforms_to}"
    if len(lines) > _MOST:
        yield f"and {len(lines) - _MOST} more"


def _lines(error: JsonSchemaError) -> Iterator[str]:
    """Say where and what was expected; the library's message quotes the value, this does not."""
    wanted: Any = error.validator_value
    found = error.instance
    if error.validator == "required" and isinstance(found, dict):
        for name in (name for name in wanted if name not in found):
            yield f"{error.json_path}.{name}: is missing: `required`"
    elif error.validator == "additionalProperties" and isinstance(found, dict):
        schema = error.schema if isinstance(error.schema, dict) else {}
        for name in sorted(found.keys() - schema.get("properties", {}).keys()):
            yield f"{error.json_path}.{name[:_LONGEST]}: is too many: `additionalProperties`"
    else:
        rule = str(error.validator)
        if isinstance(wanted, str | int | float) or (
            isinstance(wanted, list) and all(isinstance(each, str | int) for each in wanted)
        ):
            rule = f"{rule}: {json.dumps(wanted)[:_LONGEST]}"
        yield f"{error.json_path}: does not fit `{rule}`"


def _schema_at(registry: Registry[Any], pointer: str, name: str) -> str:
    """Return the pointer of the JSON Schema that is meant; of an AsyncAPI message its payload's.

    A place without any rule would hold for every payload, and so is refused.
    """
    found = registry.resolver(_ROOT).lookup(f"#{pointer}").contents
    if isinstance(found, dict) and "payload" in found and not found.keys() & _RULES:
        return _schema_at(registry, f"{pointer}/payload", name)
    if not isinstance(found, dict) or not found.keys() & _RULES:
        raise ConfigError("schema_invalid", name, "there is no JSON Schema at this place")
    return pointer


def _schema(contract: Contract, file: Path) -> Any:
    if file.suffix in (".yaml", ".yml"):
        return read_yaml(contract.path(file), {}).values
    try:
        return orjson.loads(contract.read(file))
    except orjson.JSONDecodeError as error:
        raise ConfigError("schema_invalid", f"{file}:{error.lineno}", "expected JSON") from None
