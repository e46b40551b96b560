"""The 997: which code answers what, and that every one we make is itself a right 997."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.base import Numbers, Receipt
from connectors.x12 import CONNECTOR
from connectors.x12.codec import X12Codec
from connectors.x12.config import X12Config
from connectors.x12.engine.ack import GroupResult, SetResult, acknowledgment
from connectors.x12.engine.faults import EnvelopeFault, Fault
from tests.support.x12_text import ORDER, as_bytes, changed, orders

AT = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)
SAMPLES = sorted((Path(__file__).parents[4] / "connectors/x12/samples").glob("*/*.edi"))
CONFIG = {"our_id": "CROSSDOCK", "partner_id": "ACMEDIST"}


def codec(**options: Any) -> X12Codec:
    return X12Codec(X12Config.model_validate({**CONFIG, **options}))


def receipt(body: bytes) -> Receipt:
    return Receipt("r1", "acme", "d1", AT, body)


def answer(segments: list[str], **options: Any) -> list[str]:
    """The segments between ST and SE of the one 997 that answers."""
    used = codec(**options)
    (found,) = used.decode(receipt(as_bytes(segments))).answers
    text = used.encode(found.flow, found.body, Numbers(1, 1, AT)).decode()
    return text.split("~")[3:-4]


def test_an_accepted_group_is_answered_in_four_lines() -> None:
    assert answer(orders()) == ["AK1*PO*1", "AK2*850*0001", "AK5*A", "AK9*A*1*1*1"]


def test_one_bad_set_of_three_is_rejected_with_its_places_and_the_group_partially_accepted() -> (
    None
):
    bad = ORDER.replace("PO1*3*2*EA", "PO1*3*2*EACH").replace("CUR*BY*USD", "CUR*BY")
    assert answer(orders(ORDER, bad, ORDER)) == [
        "AK1*PO*1",
        "AK2*850*0001", "AK5*A",
        "AK2*850*0002", "AK3*CUR*3**8", "AK4*2*100*1", "AK3*PO1*13**8", "AK4*3*355*5", "AK5*R*5",
        "AK2*850*0003", "AK5*A",
        "AK9*P*3*3*2",
    ]  # fmt: skip


def test_a_missing_segment_is_named_where_it_should_be() -> None:
    missing = ORDER.replace("BEG*00*SA*PO-4711**20261120\n", "")
    assert answer(orders(missing))[2:4] == ["AK3*BEG*2**3", "AK5*R*5"]


def test_a_segment_of_a_loop_is_named_with_its_loop() -> None:
    twice = ORDER.replace("PO1*2*10", "CUR*BY*USD\nPO4*6\nCUR*BY*USD\nPO1*2*10")
    assert "AK3*CUR*14*PO1*7" in answer(orders(twice))


def test_all_that_is_wrong_with_one_segment_stands_in_one_note() -> None:
    bad = ORDER.replace("PO1*1*3*EA*649.40", "PO1*1*x*EACH*y")
    assert answer(orders(bad))[2:6] == [
        "AK3*PO1*10**8",
        "AK4*2*330*6",
        "AK4*3*355*5",
        "AK4*4*212*6",
    ]


def test_a_component_is_named_with_its_position() -> None:
    bad = ORDER.replace("REF*DP*038", "REF*DP*038**IA")
    assert answer(orders(bad))[2:4] == ["AK3*REF*4**8", "AK4*4>2*127*1"]


@pytest.mark.parametrize(
    ("old", "new", "ak5", "ak9"),
    [
        ("SE*17*0001", "SE*16*0001", "AK5*R*4", "AK9*R*1*1*0"),
        ("SE*17*0001", "SE*17*0002", "AK5*R*3", "AK9*R*1*1*0"),
        ("SE*17*0001", "SE*16*0002", "AK5*R*3*4", "AK9*R*1*1*0"),
        ("ST*850", "ST*832", "AK5*R*1", "AK9*R*1*1*0"),
        ("ST*850", "ST*860", "AK5*R*6", "AK9*R*1*1*0"),
        ("GE*1*1", "GE*1*2", "AK5*R", "AK9*R*1*1*0*4"),
        ("GE*1*1", "GE*7*1", "AK5*R", "AK9*R*7*1*0*5"),
        ("GE*1*1", "GE*x*2", "AK5*R", "AK9*R*1*1*0*4*5"),
        ("GS*PO", "GS*SC", "AK5*R*6", "AK9*R*1*1*0*1"),
        ("*X*004010", "*X*003020", "AK5*R", "AK9*R*1*1*0*2"),
    ],
)
def test_what_is_wrong_with_envelopes_has_its_codes(old: str, new: str, ak5: str, ak9: str) -> None:
    assert answer(changed(orders(), old, new))[-2:] == [ak5, ak9]


@pytest.mark.parametrize(
    ("old", "new", "ak5", "ak9"),
    [
        ("SE*17*0001", "SE*16*0001", "AK5*E*4", "AK9*E*1*1*1"),
        ("GE*1*1", "GE*7*1", "AK5*A", "AK9*E*7*1*1*5"),
    ],
)
def test_what_was_tolerated_is_accepted_with_errors_noted(
    old: str, new: str, ak5: str, ak9: str
) -> None:
    assert answer(changed(orders(), old, new), strictness="tolerant")[-2:] == [ak5, ak9]


def test_an_empty_group_is_rejected() -> None:
    segments = [s for s in orders() if s[:3] in {"ISA", "GS*", "GE*", "IEA"}]
    assert answer(changed(segments, "GE*1*1", "GE*0*1")) == ["AK1*PO*1", "AK9*R*0*0*0*5"]


def test_five_codes_and_99_elements_are_the_most_that_fit() -> None:
    words = ["set_trailer_missing", "set_control_mismatch", "set_count_mismatch",
             "set_control_invalid", "set_control_duplicate", "set_unsupported"]  # fmt: skip
    envelope = [EnvelopeFault(word, "SE") for word in words]
    elements = [Fault("element_too_long", "PO1", 2, element=at + 1) for at in range(150)]
    result = SetResult("850", "0001", elements, envelope, accepted=False)
    body = acknowledgment(GroupResult("PO", "1", "1", [result], []), "004010")
    loop = body["heading"]["AK2_loop"][0]
    assert loop["AK5"] == {
        "AK501": "R",
        "AK502": "2",
        "AK503": "3",
        "AK504": "4",
        "AK505": "7",
        "AK506": "23",
    }
    assert len(loop["AK3_loop"][0]["AK4"]) == 99


@pytest.mark.parametrize("number", ["", "1", "1234567890", "*~>", "\u00fc"])
def test_whatever_a_set_calls_itself_its_answer_can_be_written(number: str) -> None:
    result = SetResult(
        number, number, [Fault("segment_unrecognized", number, 2)], [], accepted=False
    )
    body = acknowledgment(GroupResult(number, number, number, [result], []), "004010")
    text = codec().encode("997", body, Numbers(1, 1, AT))
    assert b"AK5*R*5~" in text


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_every_answer_to_a_sample_is_a_997_that_we_would_accept_and_never_answer(
    path: Path,
) -> None:
    ours = codec()
    theirs = codec(our_id="ACMEDIST", partner_id="CROSSDOCK")
    for found in ours.decode(receipt(path.read_bytes())).answers:
        read = theirs.decode(receipt(ours.encode(found.flow, found.body, Numbers(7, 8, AT))))
        assert [document.flow for document in read.documents] == [found.flow]
        assert read.answers == ()
        assert "997" in CONNECTOR.capabilities.acknowledgements
        assert json.loads(json.dumps(found.body)) == found.body
