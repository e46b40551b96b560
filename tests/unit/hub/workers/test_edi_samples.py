"""What every set and message that partners may send becomes: the samples, read, mapped, validated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from connectors.registry import CONNECTORS
from hub.mapping.files import mapping_files, shipped_mappings
from hub.workers.jobs import Acknowledged, Failed, Given
from hub.workers.progress import NoProgress
from hub.workers.reading import normalize
from hub.workers.spec import ConnectionSpec, WorkerSpec
from hub.workers.tools import Tools
from tests.support.connector_samples import SUBJECTS, Sample, Subject

ACKNOWLEDGED = "acknowledgement"
BECOMES: Mapping[str, Mapping[str, set[str]]] = {
    "x12": {
        "850": {"order"}, "860": {"order_change"}, "855": {"order_response"}, "940": {"order"},
        "943": {"shipment"}, "944": {"receiving_advice"}, "945": {"shipment"}, "856": {"shipment"},
        "947": {"stock_adjustment"}, "846": {"inventory"}, "810": {"invoice"}, "210": {"invoice"},
        "820": {"remittance"}, "204": {"load_tender"}, "990": {"tender_response"},
        "214": {"tracking"}, "824": {ACKNOWLEDGED, "application_advice"},
        "997": {ACKNOWLEDGED}, "999": {ACKNOWLEDGED}, "TA1": {ACKNOWLEDGED},
    },
    "edifact": {
        "ORDERS": {"order"}, "ORDCHG": {"order_change"}, "ORDRSP": {"order_response"},
        "DESADV": {"shipment"}, "RECADV": {"receiving_advice"}, "INVOIC": {"invoice"},
        "INVRPT": {"inventory"}, "IFTSTA": {"tracking"},
        "CONTRL": {ACKNOWLEDGED}, "APERAK": {ACKNOWLEDGED},
    },
}  # fmt: skip
"""System -> flow -> the kinds of document that it becomes in the ledger."""

EDI = [subject for subject in SUBJECTS if subject.name in BECOMES]
PAIRS = [(subject, sample) for subject in EDI for sample in subject.readable]


@pytest.fixture(scope="module")
def tools() -> Tools:
    partner = {"key": "acme", "customer_number": "C10010", "currency": "USD"}
    connections = {
        subject.name: ConnectionSpec(subject.name, subject.options, partner, {"carrier": "DHL"})
        for subject in EDI
    }
    spec = WorkerSpec(CONNECTORS, tuple(mapping_files(shipped_mappings())), connections)
    return Tools(spec)


@pytest.mark.parametrize("subject", EDI, ids=lambda subject: subject.name)
def test_it_is_said_of_every_flow_what_it_becomes(subject: Subject) -> None:
    assert set(BECOMES[subject.name]) == set(subject.connector.capabilities.inbound)


@pytest.mark.parametrize(
    ("subject", "sample"),
    PAIRS,
    ids=[f"{subject.name}-{s.path.parent.name}-{s.path.stem}" for subject, s in PAIRS],
)
def test_every_document_of_a_sample_becomes_what_it_should(
    tools: Tools, subject: Subject, sample: Sample
) -> None:
    receipt = replace(subject.receipt(sample.path.read_bytes()), connection=subject.name)
    (result,) = normalize(tools, [(receipt, Given(5.0, NoProgress()))])
    made: dict[str, set[str]] = {}
    for document in result.documents:
        if isinstance(document, Failed):
            assert document.stage == "decode", document.error
        elif isinstance(document, Acknowledged):
            made.setdefault(document.flow, set()).add(ACKNOWLEDGED)
        else:
            made.setdefault(document.flow, set()).add(document.entity)
    assert made == {flow: BECOMES[subject.name][flow] for flow in made}
    assert made
