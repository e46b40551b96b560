"""Every worked case of EDI: read, made canonical, written, read again: the same document.

What a set or message cannot carry is listed below, by the field, and is no part of the comparison.
A line that no case needs any more is an error: the list must not grow quietly.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

import orjson
import pytest

from canonical import DOCUMENTS
from canonical.errors import HubError
from connectors.base import Codec, Numbers, Receipt, SourceDocument
from connectors.registry import CONNECTORS
from hub.mapping.cases import Case, read_cases
from hub.mapping.engine import Limits
from hub.mapping.files import MappingFile, mapping_files, shipped_mappings
from hub.mapping.jsonatapy_engine import JsonatapyMapping
from hub.mapping.validation import validate
from tests.support.round_trips import LOST, NOT_WRITTEN

Json = dict[str, Any]

US, THEM = {"x12": "CROSSDOCK", "edifact": "5412345000013"}, {"x12": "ACME", "edifact": "ACME"}
AT = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
ALWAYS: Mapping[str, Json] = {
    "x12": {"outbound_checks": "guide"},
    "edifact": {"application": "off"},
}


FILES = {file.name: file for file in mapping_files(shipped_mappings())}


@dataclass(frozen=True)
class Trip:
    """A worked case, and the two mappings that it goes through."""

    outbound: MappingFile
    inbound: MappingFile
    of: MappingFile
    """Whose case it is."""
    case: Case

    @property
    def ways(self) -> str:
        """As the lists name the pair."""
        return f"{self.outbound.system}/{self.outbound.entity}/{self.outbound.flow}"

    @property
    def name(self) -> str:
        """As the tests are called."""
        return f"{self.of.system}-{self.of.path.stem}-{self.case.name}"


def _pairs() -> Iterator[tuple[MappingFile, MappingFile]]:
    files = [file for file in FILES.values() if file.system in US]
    inbound = {(f.system, f.entity, f.flow): f for f in files if f.direction == "in"}
    for file in files:
        back = inbound.get((file.system, file.entity, file.flow))
        if file.direction == "out" and back is not None:
            yield file, back


TRIPS = [
    Trip(outbound, inbound, file, case)
    for outbound, inbound in _pairs()
    for file in (outbound, inbound)
    for case in read_cases(file)
    if case.expect is not None
]
every_trip = pytest.mark.parametrize("trip", TRIPS, ids=lambda trip: trip.name)


@cache
def codec(system: str, us: str, them: str) -> Codec:
    connector = CONNECTORS[system]
    options = {"our_id": us, "partner_id": them, "acknowledge": "none", **ALWAYS[system]}
    return connector.codec(connector.config.model_validate(options))


@cache
def mapping(name: str) -> JsonatapyMapping:
    return JsonatapyMapping(FILES[name].text, name, Limits())


@cache
def both(name: str) -> tuple[Json, Json]:
    """What a case read, and what is read of it once it was written."""
    (trip,) = [each for each in TRIPS if each.name == name]
    document = given(trip)
    return document, read(trip, written(trip, document))


def given(trip: Trip) -> Json:
    """The canonical document that was read: by the case itself, or of what the case writes."""
    if trip.of.direction == "in":
        return trip.case.expect or {}
    return read(trip, written(trip, trip.case.source))


def written(trip: Trip, document: Json) -> bytes:
    """The document in the partner's words: as bytes."""
    entity, system = trip.outbound.entity, trip.outbound.system
    canonical = validate(entity, orjson.dumps(document))
    source = json.loads(canonical.model_dump_json(exclude_none=True))
    bindings = trip.case.bindings
    control = {
        "reference": document.get("po_number", "XDABCDEFGHJK"),
        **bindings.get("control", {}),
    }
    body = mapping(trip.outbound.name).apply(
        source, {"received_on": "2026-11-24", **bindings, "control": control}
    )
    assert isinstance(body, dict)
    return codec(system, US[system], THEM[system]).encode(
        trip.outbound.flow, body, Numbers(1, 1, AT)
    )


def read(trip: Trip, data: bytes) -> Json:
    """The bytes as their receiver makes them canonical."""
    system = trip.outbound.system
    receipt = Receipt("r", "acme", "d", AT, data)
    documents = codec(system, THEM[system], US[system]).decode(receipt).documents
    assert [each.error for each in documents if not isinstance(each, SourceDocument)] == []
    (found,) = documents
    assert isinstance(found, SourceDocument)
    partner = {"currency": "USD", **trip.case.bindings.get("partner", {})}
    bindings = {"received_on": "2026-11-24", **trip.case.bindings, "partner": partner}
    bindings["control"] = dict(found.control)
    connection = bindings.get("connection", {})
    if trip.of.direction == "out" and "sites" in connection:  # ours -> theirs, and the way back
        sites = {theirs: ours for ours, theirs in connection["sites"].items()}
        bindings["connection"] = connection | {"sites": sites}
    result = mapping(trip.inbound.name).apply(found.body, bindings)
    assert isinstance(result, dict)
    return result


def said(entity: str, document: Json, lost: Mapping[str, str]) -> Json:
    """What a document says, by value, without what cannot be carried."""
    canonical = DOCUMENTS[entity].model_validate_json(orjson.dumps(document))
    content: Json = canonical.model_dump(exclude_defaults=True)
    for path in lost:
        _forget(content, path.split("."))
    return content


def _forget(value: Any, path: list[str]) -> None:
    if isinstance(value, tuple | list):
        for each in value:
            _forget(each, path)
    elif isinstance(value, dict) and path[0] in value:
        if len(path) > 1:
            _forget(value[path[0]], path[1:])
        if len(path) == 1 or value[path[0]] in ({}, ()):
            del value[path[0]]


@every_trip
def test_what_is_written_reads_back_as_it_was(trip: Trip) -> None:
    refused = NOT_WRITTEN.get(trip.name)
    if refused is not None:
        with pytest.raises(HubError) as caught:
            both(trip.name)
        assert caught.value.code == refused
        return
    document, again = both(trip.name)
    lost = LOST.get(trip.ways, {})
    entity = trip.outbound.entity
    assert said(entity, again, lost) == said(entity, document, lost)


def test_both_ways_exist_for_everything_that_is_traded() -> None:
    x12 = {
        ("order", "850"), ("order_response", "855"), ("order_change", "860"), ("order", "940"),
        ("shipment", "943"), ("receiving_advice", "944"), ("shipment", "945"),
        ("stock_adjustment", "947"), ("inventory", "846"), ("shipment", "856"), ("invoice", "810"),
        ("load_tender", "204"), ("tender_response", "990"), ("tracking", "214"), ("invoice", "210"),
        ("remittance", "820"), ("application_advice", "824"),
    }  # fmt: skip
    edifact = {
        ("order", "ORDERS"), ("order_change", "ORDCHG"), ("order_response", "ORDRSP"),
        ("shipment", "DESADV"), ("receiving_advice", "RECADV"), ("invoice", "INVOIC"),
        ("inventory", "INVRPT"), ("tracking", "IFTSTA"),
    }  # fmt: skip
    found = {(out.system, out.entity, out.flow) for out, _ in _pairs()}
    assert {("x12", *each) for each in x12} <= found
    assert {("edifact", *each) for each in edifact} <= found


def test_every_exception_is_one_of_a_case() -> None:
    assert set(NOT_WRITTEN) <= {trip.name for trip in TRIPS}
    needed: set[tuple[str, str]] = set()
    for trip in TRIPS:
        if trip.name in NOT_WRITTEN:
            continue
        entity, lost = trip.outbound.entity, LOST.get(trip.ways, {})
        before, after = both(trip.name)
        for path in lost:
            others = {name: why for name, why in lost.items() if name != path}
            if said(entity, before, others) != said(entity, after, others):
                needed.add((trip.ways, path))
    listed = {(ways, path) for ways, paths in LOST.items() for path in paths}
    assert listed - needed == set()
