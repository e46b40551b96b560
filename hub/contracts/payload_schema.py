"""Whether a payload fits the JSON Schema that a contract promises: plain, OpenAPI or AsyncAPI.

Code of the `ConfigError` raised here: ``schema_invalid``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from referencing import Registry, Resource
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from canonical.errors import ConfigError
from hub.contracts.model import Contract, Example
from hub.settings.yaml_file import read_yaml

_ROOT = "contract:schema"
_MOST = 20


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
        validator = Draft202012Validator({"$ref": f"{_ROOT}#{pointer}"}, registry=registry)
        errors = sorted(validator.iter_errors(value), key=lambda error: error.json_path)
    except (SchemaError, Unresolvable) as error:
        raise ConfigError("schema_invalid", example.conforms_to, type(error).__name__) from None
    for each in errors[:_MOST]:
        # The library's message quotes the value; the place and the rule say enough.
        yield f"{each.json_path}: does not fit `{each.validator}` of {example.conforms_to}"
    if len(errors) > _MOST:
        yield f"and {len(errors) - _MOST} more"


def _schema(contract: Contract, file: Path) -> Any:
    if file.suffix in (".yaml", ".yml"):
        return read_yaml(contract.path(file), {}).values
    try:
        return orjson.loads(contract.read(file))
    except orjson.JSONDecodeError as error:
        raise ConfigError("schema_invalid", f"{file}:{error.lineno}", "expected JSON") from None
