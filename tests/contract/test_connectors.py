"""One conformance suite for all connectors: a folder with its samples brings its own tests.

`tests/support/connector_samples.py` says how the samples are laid out.
"""

from __future__ import annotations

import json
import pickle
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from canonical.errors import HubError, Rejected
from connectors.base import (
    Capabilities,
    ConnectorConfig,
    Decoded,
    Json,
    Numbers,
    Refusal,
    SourceDocument,
)
from connectors.registry import CONNECTORS
from tests.support.connector_samples import FOLDERS, ROOT, SUBJECTS, Sample, Subject, told, word
from tests.support.reach import ANYWHERE

TARGETS = [subject for subject in SUBJECTS if subject.connector.capabilities.actions]
PAIRS = [(subject, sample) for subject in SUBJECTS for sample in subject.samples]
NUMBERS = Numbers(1, 1, datetime(2026, 3, 5, 12, 0, tzinfo=UTC))
CANARY = "C4N4RY"


def _each(pairs: list[tuple[Subject, Sample]]) -> pytest.MarkDecorator:
    names = [f"{subject.name}-{s.path.parent.name}-{s.path.name}" for subject, s in pairs]
    return pytest.mark.parametrize(("subject", "sample"), pairs, ids=names)


every_connector = pytest.mark.parametrize("subject", SUBJECTS, ids=lambda s: s.name)
every_sample = _each(PAIRS)
every_json_sample = _each([pair for pair in PAIRS if pair[1].is_json])
fuzz = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.differing_executors]
)


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from _leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item)
    else:
        yield value


def _refusals(decoded: Decoded) -> list[Refusal]:
    return [document for document in decoded.documents if isinstance(document, Refusal)]


def test_folders_and_registry_agree() -> None:
    assert [folder.name for folder in FOLDERS] == sorted(CONNECTORS)
    assert {name: connector.name for name, connector in CONNECTORS.items()} == {
        name: name for name in CONNECTORS
    }


@every_connector
def test_the_folder_has_the_files_that_every_connector_has(subject: Subject) -> None:
    expected = ["__init__.py", "config.py", "codec.py", "README.md", "samples/options.yaml"]
    assert [name for name in expected if not (subject.folder / name).is_file()] == []


@every_connector
def test_its_parts_are_what_the_interfaces_say(subject: Subject) -> None:
    connector, config = subject.connector, subject.config
    assert issubclass(connector.config, ConnectorConfig)
    assert isinstance(connector.capabilities, Capabilities)
    assert connector.codec(config) is not None
    client, poller = connector.client(config, ANYWHERE), connector.poller(config, ANYWHERE)
    if connector.capabilities.actions or connector.capabilities.can_look_up:
        assert client is not None
    if poller is not None:
        assert set(poller.flows) <= set(connector.capabilities.inbound)
    assert (connector.webhook(config) is not None) == subject.has_call


@every_connector
def test_options_that_nobody_knows_are_refused_and_secrets_are_not_shown(subject: Subject) -> None:
    with pytest.raises(ValidationError, match="not_an_option"):
        subject.connector.config.model_validate({**subject.options, "not_an_option": 1})
    secrets = [
        secret.get_secret_value()
        for _, value in subject.config
        for secret in (value if isinstance(value, tuple) else (value,))
        if isinstance(secret, SecretStr)
    ]
    shown = f"{subject.config!r} {subject.config} {subject.config.model_dump_json()}"
    assert [secret for secret in secrets if secret and secret in shown] == []


@every_connector
def test_options_of_another_system_are_not_taken_for_its_own(subject: Subject) -> None:
    class Foreign(ConnectorConfig):
        pass

    with pytest.raises(HubError):
        subject.connector.codec(Foreign())


@every_connector
def test_every_inbound_flow_has_a_sample_and_every_sample_an_expectation(subject: Subject) -> None:
    found = {
        document["flow"]
        for s in subject.readable
        for document in s.expect["documents"]
        if "flow" in document
    }
    assert found == set(subject.connector.capabilities.inbound)
    assert [str(path) for path in subject.unpaired] == []


@every_connector
def test_every_flow_has_a_mapping_with_worked_cases(subject: Subject) -> None:
    folder = ROOT / "mappings" / subject.name
    capabilities = subject.connector.capabilities
    answers = {flow for sample in subject.samples for flow in sample.expect.get("answers", [])}
    recorded = set(capabilities.acknowledgements)
    assert recorded <= set(capabilities.inbound)
    names = {flow: f"{word(flow)}.*.jsonata" for flow in set(capabilities.inbound) - recorded}
    # Answers (a 997) come from the codec itself, so nothing maps to them.
    names |= {flow: f"*.{word(flow)}.jsonata" for flow in set(capabilities.outbound) - answers}
    assert [flow for flow, pattern in names.items() if not _has_cases(folder, pattern)] == []


def _has_cases(folder: Path, pattern: str) -> bool:
    found = list(folder.glob(pattern))
    return bool(found) and all(any(p.with_suffix(".cases").glob("*.json")) for p in found)


@every_sample
def test_a_sample_holds_what_is_expected_of_it(subject: Subject, sample: Sample) -> None:
    decoded = subject.codec.decode(sample.receipt)
    assert len(decoded.documents) == len(sample.expect["documents"])
    for document, expected in zip(decoded.documents, sample.expect["documents"], strict=True):
        if isinstance(document, Refusal):
            found = {"refusal": document.error.code, "answered": document.answered}
        else:
            found = {"flow": document.flow}
        if "where" in expected:
            found["where"] = document.where
        assert found == expected
    assert [answer.flow for answer in decoded.answers] == sample.expect.get("answers", [])


@every_sample
def test_documents_are_numbered_and_are_plain_json_without_floats(
    subject: Subject, sample: Sample
) -> None:
    decoded = subject.codec.decode(sample.receipt)
    assert [document.position for document in decoded.documents] == list(
        range(len(decoded.documents))
    )
    for document in (*decoded.documents, *decoded.answers):
        if not isinstance(document, Refusal):
            assert json.loads(json.dumps(document.body)) == document.body
            leaves = list(_leaves(document.body))
            assert not [leaf for leaf in leaves if isinstance(leaf, float)]
            assert all(abs(leaf) <= 2**53 for leaf in leaves if type(leaf) is int)
        if isinstance(document, SourceDocument):
            assert all(isinstance(value, str) for value in document.control.values())


@every_sample
def test_decoding_again_gives_the_same_and_survives_the_way_between_processes(
    subject: Subject, sample: Sample
) -> None:
    decoded = subject.codec.decode(sample.receipt)
    fresh = subject.connector.codec(subject.config).decode(sample.receipt)
    travelled = pickle.loads(pickle.dumps(decoded))  # noqa: S301  # our own bytes
    assert _comparable(subject.codec.decode(sample.receipt)) == _comparable(decoded)
    assert _comparable(fresh) == _comparable(decoded)
    assert _comparable(travelled) == _comparable(decoded)


def _comparable(decoded: Decoded) -> list[Any]:
    return [
        (d.position, d.where, d.flow, d.answered, type(d.error), d.error.args)
        if isinstance(d, Refusal)
        else (d.position, d.where, d.flow, d.body, dict(d.control))
        for d in decoded.documents
    ] + [(answer.flow, answer.body) for answer in decoded.answers]


def _check_hostile(subject: Subject, body: bytes, flow: str) -> None:
    """Whatever the bytes are: documents and refusals, no exception, and a word for each refusal."""
    decoded = subject.codec.decode(subject.receipt(body, flow))
    for refusal in _refusals(decoded):
        assert refusal.error.code.replace("_", "a").isalnum()
        assert refusal.error.code == refusal.error.code.lower()
        assert CANARY not in told(refusal.error)


@every_sample
@fuzz
@given(data=st.data())
def test_no_change_to_a_sample_makes_the_codec_raise(
    subject: Subject, sample: Sample, data: st.DataObject
) -> None:
    body = sample.receipt.body
    start = data.draw(st.integers(0, len(body)))
    length = data.draw(st.sampled_from([0, 1, 2, 10, len(body)]))
    odd = st.sampled_from([b"", b"\0", b"\xff", b'"', b"{", b"]", b"*", b"~", b"\n", b"9" * 5000])
    changed = body[:start] + data.draw(st.binary(max_size=5) | odd) + body[start + length :]
    _check_hostile(subject, changed, sample.receipt.flow)


@every_json_sample
def test_no_value_of_another_type_makes_the_codec_raise(subject: Subject, sample: Sample) -> None:
    whole = json.loads(sample.receipt.body)
    for other in (None, True, 7, "", CANARY, [], [CANARY], {}, {CANARY: CANARY}):
        for changed in _with_each_value_replaced(whole, other):
            _check_hostile(subject, json.dumps(changed).encode(), sample.receipt.flow)


def _with_each_value_replaced(value: Any, other: Any) -> Iterator[Any]:
    yield other
    if isinstance(value, dict):
        for key, item in value.items():
            for changed in _with_each_value_replaced(item, other):
                yield {**value, key: changed}
    elif isinstance(value, list):
        for index, item in enumerate(value):
            for changed in _with_each_value_replaced(item, other):
                yield [*value[:index], changed, *value[index + 1 :]]


@every_connector
@fuzz
@given(body=st.binary(max_size=2000), data=st.data())
def test_no_bytes_at_all_make_the_codec_raise(
    subject: Subject, body: bytes, data: st.DataObject
) -> None:
    flows = ["", "no/such-flow", *subject.connector.capabilities.inbound]
    _check_hostile(subject, body, data.draw(st.sampled_from(flows)))


@every_sample
def test_refusals_never_carry_what_the_document_says(subject: Subject, sample: Sample) -> None:
    body, chance = sample.receipt.body, random.Random(1)  # noqa: S311  # only has to repeat
    seen = 0
    for _ in range(200):
        at = chance.randrange(len(body) + 1)
        planted = body[:at] + CANARY.encode() + body[at + chance.choice([0, 0, 1, 6]) :]
        cut = planted[: chance.choice([len(planted), at + len(CANARY), at + 50])]
        for refusal in _refusals(subject.codec.decode(replace(sample.receipt, body=cut))):
            assert CANARY not in told(refusal.error)
            seen += 1
    assert seen  # else nothing was looked at


@every_connector
@pytest.mark.parametrize("flow", ["", "no/such-flow"])
def test_a_flow_that_it_does_not_write_is_refused(subject: Subject, flow: str) -> None:
    with pytest.raises(Rejected) as refused:
        subject.codec.encode(flow, {"a": CANARY}, NUMBERS)
    assert CANARY not in told(refused.value)


@every_connector
def test_a_body_that_does_not_fit_an_outbound_flow_is_refused_without_its_values(
    subject: Subject,
) -> None:
    bodies: list[Json] = [{}, {CANARY: CANARY}, {"a": [CANARY, None, {}]}]
    for flow in subject.connector.capabilities.outbound:
        for body in bodies:
            assert CANARY not in _refused(subject, flow, body)


def _refused(subject: Subject, flow: str, body: Json) -> str:
    """What encoding it was refused with; a codec may also accept it."""
    try:
        subject.codec.encode(flow, body, NUMBERS)
    except Rejected as refused:
        return told(refused)
    return ""


@pytest.mark.parametrize("subject", TARGETS, ids=lambda s: s.name)
async def test_a_client_can_be_closed_twice(subject: Subject) -> None:
    client = subject.connector.client(subject.config, ANYWHERE)
    assert client is not None
    await client.close()
    await client.close()
