"""Canonical documents written as X12 and read again: what the partner sees is what we meant."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from connectors.base import Numbers, Receipt, SourceDocument
from connectors.x12.codec import X12Codec
from connectors.x12.config import X12Config
from hub.mapping.engine import Limits
from hub.mapping.files import read_mapping
from hub.mapping.jsonatapy_engine import JsonatapyMapping
from hub.mapping.validation import validate

ROOT = Path(__file__).parents[3] / "mappings"
AT = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
OURS = X12Codec(X12Config(our_id="CROSSDOCK", partner_id="ACMEDIST"))
THEIRS = X12Codec(X12Config(our_id="ACMEDIST", partner_id="CROSSDOCK"))
PAIRS = [("shipment", "856"), ("invoice", "810")]
CASES = [
    (entity, flow, path)
    for entity, flow in PAIRS
    for path in sorted((ROOT / "x12" / f"{entity}.{flow}.cases").glob("*.json"))
    if "expect" in (case := json.loads(path.read_text("utf-8")))
    # What comes from the order is more than the document says: tests/integration/test_own_numbers.py
    and "order" not in case.get("bindings", {}).get("control", {})
]


def mapped(name: str, source: dict[str, Any], bindings: dict[str, Any]) -> Any:
    file = read_mapping(ROOT / "x12" / f"{name}.jsonata", ROOT)
    made = JsonatapyMapping(file.text, file.name, Limits()).apply(source, bindings)
    return json.loads(orjson.dumps(made))


def facts(document: dict[str, Any]) -> dict[str, Any]:
    """What must survive: numbers, parties, lines with their items and quantities."""
    kept = {"number", "po_number", "shipped_on", "issued_on", "due_on", "currency", "total"}
    lines = [
        {k: v for k, v in line.items() if k in {"number", "item", "shipped", "quantity", "lot"}}
        for line in document["lines"]
        if line.get("shipped", {}).get("value") != "0"
    ]
    # Levels are read one after the other, so that loose items come before packed ones.
    lines.sort(key=lambda line: str(line["number"]))
    named = [r["value"] for r in document.get("references", ()) if r["kind"] == "PO"]
    number = document.get("po_number") or next(iter(named), None)
    return {k: v for k, v in document.items() if k in kept} | {"lines": lines, "po_number": number}


@pytest.mark.parametrize(
    ("entity", "flow", "path"), CASES, ids=[f"{flow}-{path.stem}" for _, flow, path in CASES]
)
def test_what_is_written_says_the_same_when_it_is_read(entity: str, flow: str, path: Path) -> None:
    case = json.loads(path.read_text("utf-8"))
    body = mapped(f"{entity}.{flow}", case["input"], case.get("bindings", {}))
    data = OURS.encode(flow, body, Numbers(1, 1, AT))
    (read,) = THEIRS.decode(Receipt("r", "c", "d", AT, data)).documents
    assert isinstance(read, SourceDocument)
    assert (
        THEIRS.encode(flow, read.body, Numbers(1, 1, AT)).split(b"GS*")[1].split(b"~", 1)[1]
        == (data.split(b"GS*")[1].split(b"~", 1)[1])
    )
    again = mapped(f"{flow}.{entity}", read.body, {"partner": {"key": "us", "currency": "USD"}})
    document = validate(entity, orjson.dumps(again))
    found = json.loads(document.model_dump_json(exclude_none=True))
    expected = json.loads(
        validate(entity, orjson.dumps(case["input"])).model_dump_json(exclude_none=True)
    )
    assert facts(found) == facts(expected)
