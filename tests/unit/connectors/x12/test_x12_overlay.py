"""A partner's own guide: narrower codes, required and unused parts, maxima, qualifiers, own segments."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from canonical.errors import Rejected
from connectors.base import Numbers, Receipt, Refusal, SourceDocument
from connectors.x12.codec import X12Codec
from connectors.x12.config import X12Config
from tests.support.x12_text import ORDER, as_bytes, orders

AT = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)
NUMBERS = Numbers(1, 1, AT)
OWN = {"name": "Store cluster", "after": "PO1_loop.PO1", "elements": ["127 M", "352 O"], "max": 2}


def codec(guide: dict[str, Any], **options: Any) -> X12Codec:
    own = {"our_id": "CROSSDOCK", "partner_id": "ACMEDIST", "guides": {"850": guide}, **options}
    return X12Codec(X12Config.model_validate(own))


def refused(guide: dict[str, Any], content: str = ORDER) -> str:
    (found,) = codec(guide).decode(Receipt("r", "c", "d", AT, as_bytes(orders(content)))).documents
    return f"{found.error.code} {found.error.where}" if isinstance(found, Refusal) else ""


def rule(at: str, **said: Any) -> dict[str, Any]:
    return {"rules": [{"at": at, **said}]}


@pytest.mark.parametrize(
    ("guide", "expected"),
    [
        (rule("BEG.BEG02", codes=["SA", "NE"]), ""),
        (rule("BEG.BEG02", codes=["NE"]), "partner_code_unused BEG[1].BEG02"),
        (rule("BEG.BEG04", use="required"), "partner_element_missing BEG[1].BEG04"),
        (rule("BEG.BEG05", use="unused"), "partner_element_unused BEG[1].BEG05"),
        (rule("BEG.BEG03", length=[1, 6]), "partner_element_length BEG[1].BEG03"),
        (rule("BEG.BEG03", length=[7, 12]), ""),
        (rule("CUR", use="required"), ""),
        (rule("FOB", use="required"), "partner_segment_missing FOB[1]"),
        (rule("CUR", use="unused"), "partner_segment_unused CUR[1]"),
        (rule("REF", qualifiers=["DP"]), ""),
        (rule("REF", qualifiers=["DP", "IA"]), "partner_segment_missing REF[2]"),
        (rule("N1_loop", max=1), "partner_segment_exceeds N1[2]"),
        (rule("N1_loop", max=2), ""),
        (rule("N1_loop", qualifiers=[]), ""),
        (rule("N1_loop.N3", use="required"), "partner_segment_missing N3[1]"),
        (rule("N1_loop.N1.N103", codes=["UL"]), "partner_code_unused N1[1].N103"),
        (rule("PO1_loop.PO1.PO109", use="required"), "partner_element_missing PO1[2].PO109"),
        (rule("PO1_loop.PID_loop", use="required"), "partner_segment_missing PID[2]"),
        (rule("PO1_loop.PID_loop", use="unused"), "partner_segment_unused PID[1]"),
        (rule("PO1_loop.PID_loop.PID.PID01", codes=["F"]), ""),
        (rule("CTT_loop.AMT", use="unused"), "partner_segment_unused AMT[1]"),
    ],
)
def test_what_a_partner_narrows_is_refused_at_its_place(
    guide: dict[str, Any], expected: str
) -> None:
    assert refused(guide) == expected


@pytest.mark.parametrize(
    ("acknowledge", "expected"),
    [("997", ["AK3*BEG*2**8", "AK4*2*92*7"]), ("999", ["IK3*BEG*2**8", "IK4*2*92*I6"])],
)
def test_the_sender_is_told_in_the_codes_of_its_acknowledgment(
    acknowledge: str, expected: list[str]
) -> None:
    ours = codec(rule("BEG.BEG02", codes=["NE"]), acknowledge=acknowledge)
    answer = ours.decode(Receipt("r", "c", "d", AT, as_bytes(orders()))).answers[0]
    text = ours.encode(answer.flow, answer.body, NUMBERS).decode().split("~")
    assert [s for s in text if s[:3] in {"AK3", "IK3", "AK4", "IK4"}] == expected


def test_a_segment_of_the_partners_own_is_read_checked_and_written() -> None:
    guide = {"segments": {"ZA1": OWN}}
    content = ORDER.replace("PO1*2*", "ZA1*NORTH*COLD\nZA1*SOUTH\nPO1*2*").replace(
        "PID*F****ATHENS DESK\nZA1*NORTH*COLD\nZA1*SOUTH", "ZA1*NORTH*COLD\nZA1*SOUTH\nPID*F****A"
    )
    ours = codec(guide)
    (found,) = ours.decode(Receipt("r", "c", "d", AT, as_bytes(orders(content)))).documents
    assert isinstance(found, SourceDocument)
    assert found.body["detail"]["PO1_loop"][0]["ZA1"] == [
        {"ZA101": "NORTH", "ZA102": "COLD"}, {"ZA101": "SOUTH"},
    ]  # fmt: skip
    assert b"~ZA1*NORTH*COLD~ZA1*SOUTH~PID*F" in ours.encode("850", found.body, NUMBERS)
    assert refused(guide, content.replace("ZA1*SOUTH", "ZA1**X")) == "element_missing ZA1[2].ZA101"
    assert refused({}, content) == "segment_unrecognized ZA1[1]"


def test_what_we_write_keeps_the_partners_guide_too() -> None:
    ours = codec(rule("BEG.BEG02", codes=["NE"]))
    (read,) = codec({}).decode(Receipt("r", "c", "d", AT, as_bytes(orders()))).documents
    assert isinstance(read, SourceDocument)
    with pytest.raises(Rejected, match="partner_code_unused"):
        ours.encode("850", read.body, NUMBERS)


@pytest.mark.parametrize(
    "guide",
    [
        rule("XYZ", use="required"),
        rule("PO1_loop.BEG", use="required"),
        rule("BEG.BEG77", use="required"),
        rule("N1_loop.N1.N109", use="required"),
        rule("BEG", use="sometimes"),
        rule("beg", use="required"),
        {"segments": {"ZA1": {**OWN, "after": "PO1_loop.XYZ"}}},
        {"segments": {"ZA1": {**OWN, "elements": ["99999 M"]}}},
        {"segments": {"ZA1": {**OWN, "notes": ["P0103"]}}},
        {"segments": {"toolong": OWN}},
    ],
)
def test_a_guide_that_does_not_fit_the_standards_is_refused_when_it_is_configured(
    guide: dict[str, Any],
) -> None:
    with pytest.raises(ValidationError, match="850"):
        codec(guide)


@pytest.mark.parametrize(
    ("guide", "why"),
    [
        (rule("BEG.BEG03", length=[12, 5]), "the least and then the most"),
        (rule("BEG.BEG03", length=[0, 5]), "the least and then the most"),
        (rule("BEG.BEG03", length=[40, 50]), "BEG.BEG03: no value of element 324 is so long"),
        (rule("BEG.BEG02", codes=["SA", "ZZZZZ"]), "BEG.BEG02: ZZZZZ is no value of element 92"),
        (rule("BEG.BEG01", codes=["99"]), "BEG.BEG01: 99 is no value of element 353"),
        (rule("PO1_loop.PO1.PO103", codes=["EACH"]), "EACH is no value of element 355"),
        (rule("BEG", codes=["SA"]), "codes and length are of an element"),
        (rule("BEG.BEG03", max=2), "qualifiers and max are not of an element"),
        (rule("BEG.BEG03", qualifiers=["A"]), "qualifiers and max are not of an element"),
        (rule("N1_loop", qualifiers=["ST"]), "qualifiers are of a segment"),
    ],
)
def test_what_no_document_could_keep_is_refused_when_it_is_configured(
    guide: dict[str, Any], why: str
) -> None:
    with pytest.raises(ValidationError, match=why):
        codec(guide)


def test_a_length_of_one_version_alone_may_be_agreed() -> None:
    assert refused(rule("BEG.BEG03", length=[1, 22])) == ""
    assert refused(rule("REF.REF02", length=[31, 50])) == "partner_element_length REF[1].REF02"


def test_a_set_that_nobody_knows_has_no_partners_guide() -> None:
    options = {"our_id": "US", "partner_id": "THEM", "guides": {"837": {}}}
    with pytest.raises(ValidationError, match="no guide for this set"):
        X12Config.model_validate(options)
