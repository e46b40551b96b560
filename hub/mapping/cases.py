"""Worked cases: what a mapping makes of an input, on both engines, and whether it is canonical.

A case is a JSON file beside the mapping (``mappings/README.md`` has its form). Code of the
`ConfigError` raised here: ``case_unreadable``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from canonical.errors import ConfigError, HubError, Rejected
from connectors.base import Json
from hub.mapping.difference import differences
from hub.mapping.engine import Limits
from hub.mapping.files import MappingFile
from hub.mapping.jsonatapy_engine import JsonatapyMapping
from hub.mapping.library import Compile
from hub.mapping.reference_engine import ReferenceMapping
from hub.mapping.validation import validate

ENGINES: dict[str, Compile] = {"jsonatapy": JsonatapyMapping, "jsonata-python": ReferenceMapping}
"""The engine that runs, and the one that must agree with it."""

_KEYS = {"why", "input", "bindings", "expect", "expect_error"}


@dataclass(frozen=True, slots=True)
class Case:
    """One worked case."""

    name: str
    path: Path
    why: str
    source: Json
    bindings: Json = field(default_factory=dict)
    expect: Json | None = None
    expect_error: Json | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one case on one engine; no problems: it passed."""

    case: Case
    engine: str
    problems: tuple[str, ...]


def read_cases(file: MappingFile) -> Iterator[Case]:
    """The cases beside a mapping, by name.

    Raises:
        ConfigError: ``case_unreadable``.

    """
    for path in sorted(file.cases.glob("*.json")):
        yield _read_case(path)


def _read_case(path: Path) -> Case:
    where = "/".join(path.parts[-4:])
    try:
        data = json.loads(path.read_text("utf-8"), parse_float=_no_float)
    except (OSError, ValueError) as error:
        raise ConfigError("case_unreadable", where, str(error)) from None
    if not isinstance(data, dict) or not isinstance(data.get("input"), dict):
        raise ConfigError("case_unreadable", where, 'expected an object with an "input" object')
    if unknown := set(data) - _KEYS:
        raise ConfigError("case_unreadable", where, f"unknown keys: {', '.join(sorted(unknown))}")
    if ("expect" in data) == ("expect_error" in data) or not data.get("why"):
        expected = 'expected "why" and either "expect" or "expect_error"'
        raise ConfigError("case_unreadable", where, expected)
    return Case(
        path.stem,
        path,
        data["why"],
        data["input"],
        data.get("bindings", {}),
        data.get("expect"),
        data.get("expect_error"),
    )


def _no_float(text: str) -> object:
    raise ValueError(f"write the decimal {text} as text")


def run_case(file: MappingFile, case: Case) -> list[Outcome]:
    """Run one case on both engines.

    Raises:
        ConfigError: the mapping does not compile.

    """
    outcomes = []
    for engine, compile_ in ENGINES.items():
        mapping = compile_(file.text, file.name, Limits())
        try:
            if file.direction == "in":  # as a worker does it
                text = mapping.written(case.source, case.bindings)
                validate(file.entity, text)
                result = orjson.loads(text)
            else:
                result = mapping.apply(case.source, case.bindings)
            problems = _judge_result(case, result)
        except Rejected as error:
            problems = _judge_error(case, error)
        outcomes.append(Outcome(case, engine, tuple(problems)))
    return outcomes


def _judge_result(case: Case, result: Any) -> list[str]:
    if case.expect_error is not None:
        return [f"expected the error {case.expect_error.get('code')}, got a document"]
    return differences(case.expect, result)


def _judge_error(case: Case, error: HubError) -> list[str]:
    if case.expect_error is None:
        return [f"refused: {error}"]
    problems = []
    if case.expect_error.get("code") != error.code:
        problems.append(f"expected the error {case.expect_error.get('code')}, got {error}")
    where = case.expect_error.get("where")
    if where is not None and where != error.where and not error.where.endswith(f": {where}"):
        problems.append(f"expected it at {where}, got {error.where or 'no place'}")
    return problems
