"""Trying one mapping on one file: what ``crossdock map run`` does.

Codes of the `ConfigError` raised here: ``input_unreadable``, ``mapping_missing``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from canonical.errors import ConfigError, HubError, Rejected
from connectors.base import Json, Receipt, Refusal
from connectors.registry import CONNECTORS
from hub.cli.desk import site_of
from hub.mapping.engine import Limits
from hub.mapping.files import (
    MappingFile,
    flow_word,
    mapping_files,
    read_mapping,
    shipped_mappings,
)
from hub.mapping.jsonatapy_engine import JsonatapyMapping
from hub.mapping.reference_engine import ReferenceMapping
from hub.mapping.validation import validate
from hub.settings.names import did_you_mean
from hub.workers.spec import worker_spec
from hub.workers.tools import Tools


@dataclass(frozen=True, slots=True)
class Trial:
    """One mapping and what to try it on."""

    system: str
    flow: str
    entity: str
    data: bytes
    connection: str | None
    config: Path | None


def try_mapping(trial: Trial) -> Iterator[Json | HubError]:
    """What the mapping makes of each document in the file, or why it cannot.

    Raises:
        ConfigError: the mapping, the configuration or the file cannot be read.

    """
    file = _mapping(trial)
    for source in _sources(trial):
        if isinstance(source, HubError):
            yield source
            continue
        yield from _tried(file, *source)


def _mapping(trial: Trial) -> MappingFile:
    root = shipped_mappings()
    folder = root / trial.system
    inbound = folder / f"{flow_word(trial.flow)}.{trial.entity}.jsonata"
    outbound = folder / f"{trial.entity}.{flow_word(trial.flow)}.jsonata"
    if not (inbound.is_file() or outbound.is_file()):
        raise ConfigError("mapping_missing", f"{trial.system}/{inbound.name}", _nearest(trial))
    return read_mapping(inbound if inbound.is_file() else outbound, root)


def _nearest(trial: Trial) -> str:
    """Which of a mapping's three words names nothing, and what was probably meant."""
    files = list(mapping_files(shipped_mappings()))
    if trial.system not in {file.system for file in files}:
        return f"no such system{did_you_mean(trial.system, {file.system for file in files})}"
    flows: dict[str, set[str]] = {}
    for file in files:
        if file.system == trial.system:
            flows.setdefault(file.flow, set()).add(file.entity)
    flow = flow_word(trial.flow)
    if flow not in flows:
        return f"no mapping of the flow {flow}{did_you_mean(flow, flows)}"
    return (
        f"no mapping of {flow} to or from {trial.entity}{did_you_mean(trial.entity, flows[flow])}"
    )


def _sources(trial: Trial) -> Iterator[tuple[Json, Json] | HubError]:
    if trial.connection is not None:
        yield from _decoded(trial, trial.connection)
        return
    try:
        data = json.loads(trial.data)
    except ValueError:
        raise ConfigError("input_unreadable", "FILE", "expected JSON, or --connection") from None
    if not isinstance(data, dict):
        raise ConfigError("input_unreadable", "FILE", "expected a JSON object")
    if "why" in data and isinstance(data.get("input"), dict):  # a worked case
        yield data["input"], data.get("bindings", {})
    else:
        yield data, {"partner": {}, "connection": {}, "control": {}, "received_on": _today()}


def _decoded(trial: Trial, connection: str) -> Iterator[tuple[Json, Json] | HubError]:
    spec = worker_spec(site_of(trial.config), CONNECTORS, shipped_mappings())
    bound = Tools(spec).connection(connection)
    receipt = Receipt("trial", connection, "trial", datetime.now(UTC), trial.data, trial.flow)
    for document in bound.codec.decode(receipt).documents:
        if isinstance(document, Refusal):
            yield document.error
        elif document.flow == trial.flow:
            facts: dict[str, Any] = {"control": dict(document.control), "received_on": _today()}
            yield document.body, bound.bindings | facts


def _tried(file: MappingFile, source: Json, bindings: Json) -> Iterator[Json | HubError]:
    try:
        result = JsonatapyMapping(file.text, file.name, Limits()).apply(source, bindings)
    except Rejected as error:
        yield _located(error, file, source, bindings)
        return
    yield result
    if file.direction == "in":
        try:
            validate(file.entity, orjson.dumps(result))
        except Rejected as error:
            yield error


def _located(error: Rejected, file: MappingFile, source: Json, bindings: Json) -> Rejected:
    """The error with the place where the other engine stumbles: probably the same."""
    try:
        ReferenceMapping(file.text, file.name, Limits()).apply(source, bindings)
    except Rejected as second:
        if second.where not in (error.where, file.name):
            detail = f"{error.detail} (probably at {second.where})"
            return Rejected(error.code, error.where, detail)
    return error


def _today() -> str:
    return datetime.now(UTC).date().isoformat()
