"""What a receipt becomes: documents, refusals with their codes, and what the sender is told."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.base import Decoded, Receipt, Refusal, SourceDocument
from connectors.x12.codec import X12Codec
from connectors.x12.config import X12Config
from connectors.x12.engine.faults import (
    APPLICATION_CODES,
    ELEMENT_CODES,
    GROUP_CODES,
    INTERCHANGE_CODES,
    PARTNER_CODES,
    SEGMENT_CODES,
    SET_CODES,
    TOLERABLE,
)
from connectors.x12.engine.reader import MAX_SEGMENT
from tests.support.x12_text import (
    ACCEPTED,
    ADVICE,
    CHANGE,
    ORDER,
    as_bytes,
    changed,
    group,
    interchange,
    isa,
    orders,
)

AT = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)
GOOD = as_bytes(orders())


def decode(body: bytes, **options: Any) -> Decoded:
    own = {"our_id": "CROSSDOCK", "partner_id": "ACMEDIST", **options}
    receipt = Receipt("r1", "acme", "d1", AT, body)
    return X12Codec(X12Config.model_validate(own)).decode(receipt)


def outcome(decoded: Decoded) -> list[tuple[str, bool] | str]:
    """For each document its flow, or its refusal's code and whether the sender is told."""
    return [
        (found.error.code, found.answered) if isinstance(found, Refusal) else found.flow
        for found in decoded.documents
    ]


def broken(old: str, new: str) -> bytes:
    return as_bytes(changed(orders(), old, new))


REFUSALS: dict[str, tuple[bytes, bool]] = {
    "set_unsupported": (broken("ST*850", "ST*832"), True),
    "set_trailer_missing": (as_bytes([s for s in orders() if not s.startswith("SE")]), True),
    "set_control_mismatch": (broken("SE*17*0001", "SE*17*0002"), True),
    "set_count_mismatch": (broken("SE*17*0001", "SE*18*0001"), True),
    "set_identifier_invalid": (broken("ST*850", "ST*8"), True),
    "set_control_invalid": (broken("*0001", "*1"), True),
    "set_control_duplicate": (as_bytes(changed(orders(ORDER, ORDER), "*0002", "*0001")), True),
    "group_unsupported": (broken("GS*PO", "GS*SC"), True),
    "version_unsupported": (broken("*X*004010", "*X*003040"), True),
    "group_trailer_missing": (as_bytes([s for s in orders() if not s.startswith("GE")]), True),
    "group_control_mismatch": (broken("GE*1*1", "GE*1*2"), True),
    "group_count_mismatch": (broken("GE*1*1", "GE*2*1"), True),
    "group_control_invalid": (as_bytes(interchange(group("PO", [("850", ORDER)], "X"))), True),
    "group_control_duplicate": (
        as_bytes(interchange(group("PO", [("850", ORDER)]), group("PC", [("860", CHANGE)]))), True,
    ),
    "group_empty": (as_bytes(interchange(group("PO", []))), True),
    "interchange_control_mismatch": (broken("IEA*1*000000905", "IEA*1*000000906"), False),
    "delimiter_ambiguous": (broken("*P*>", "*P*~"), False),
    "partner_unknown": (as_bytes(orders()).replace(b"ACMEDIST       ", b"SOMEBODY       "), False),
    "receiver_unknown": (as_bytes(orders()).replace(b"CROSSDOCK      ", b"SOMEBODY       "), False),
    "interchange_control_invalid": (as_bytes(changed(orders(), "000000905", "00000A905")), False),
    "usage_mismatch": (broken("*0*P*>", "*0*T*>"), False),
    "interchange_count_mismatch": (broken("IEA*1*", "IEA*2*"), False),
    "isa_length": (broken("ACMEDIST       *", "ACMEDIST*"), False),
    "interchange_truncated": (GOOD[: len(GOOD) // 2], False),
    "interchange_content_invalid": (broken("GS*PO", "N1*BY~GS*PO"), False),
    "interchange_empty": (as_bytes(interchange()), False),
    "interchange_missing": (b"hello", False),
    "isa_unreadable": (b"ISA*00*", False),
    "segment_too_long": ((isa() + "~").encode() + b"A" * (MAX_SEGMENT + 200_000), False),
    "ta1_invalid": (as_bytes([isa(), "TA1*A*261120*0830*A*000", "IEA*0*000000905"]), False),
}  # fmt: skip


def test_every_code_of_an_envelope_has_its_case() -> None:
    # The ledger alone knows which numbers came before.
    remembered = {"interchange_number_conflict"}
    assert set(REFUSALS) == set(SET_CODES) | set(GROUP_CODES) | set(INTERCHANGE_CODES) - remembered


@pytest.mark.parametrize("code", REFUSALS)
def test_what_is_wrong_with_an_envelope_is_refused_and_answered_where_a_997_can(code: str) -> None:
    body, answered = REFUSALS[code]
    decoded = decode(body)
    assert (code, answered) in outcome(decoded)
    assert bool(decoded.answers) == answered


@pytest.mark.parametrize("code", sorted(TOLERABLE))
def test_a_tolerant_connection_accepts_what_loses_nothing_and_records_it(code: str) -> None:
    decoded = decode(REFUSALS[code][0], strictness="tolerant")
    documents = [found for found in decoded.documents if isinstance(found, SourceDocument)]
    assert len(documents) == len(decoded.documents)
    assert any(code in found.control["warnings"].split(",") for found in documents)
    assert decoded.answers


@pytest.mark.parametrize("code", sorted(set(REFUSALS) - TOLERABLE))
def test_a_tolerant_connection_refuses_the_rest_all_the_same(code: str) -> None:
    body, answered = REFUSALS[code]
    assert (code, answered) in outcome(decode(body, strictness="tolerant"))


def test_a_tolerant_connection_still_refuses_what_the_guide_finds_wrong() -> None:
    assert outcome(decode(broken("BEG*00", "BEG*99"), strictness="tolerant")) == [
        ("code_invalid", True)
    ]


def test_a_document_says_where_it_stands_and_what_its_envelope_says() -> None:
    (document,) = decode(GOOD).documents
    assert isinstance(document, SourceDocument)
    assert document.where == "ISA 000000905 GS 1 ST 0001"
    assert document.control == {
        "isa13": "000000905", "gs06": "1", "st02": "0001", "sender": "ACMEDIST",
        "receiver": "CROSSDOCK", "usage": "P", "version": "004010", "warnings": "",
    }  # fmt: skip
    assert {key: document.body[key] for key in list(document.body)[:3]} == {
        "transaction_set": "850", "version": "004010", "control_number": "0001",
    }  # fmt: skip


def test_groups_of_all_kinds_come_in_their_order_and_each_is_answered_but_acknowledgments() -> None:
    decoded = decode(
        as_bytes(
            interchange(
                group("PO", [("850", ORDER), ("850", ORDER)], "1"),
                group("FA", [("997", ACCEPTED)], "2"),
                group("PC", [("860", CHANGE)], "3"),
                group("SW", [("945", ADVICE)], "4"),
            )
        )
    )
    assert outcome(decoded) == ["850", "850", "997", "860", "945"]
    assert [found.position for found in decoded.documents] == [0, 1, 2, 3, 4]
    heads = [answer.body["heading"]["AK1"] for answer in decoded.answers]
    assert heads == [
        {"AK101": "PO", "AK102": "1"}, {"AK101": "PC", "AK102": "3"}, {"AK101": "SW", "AK102": "4"},
    ]  # fmt: skip


@pytest.mark.parametrize(
    "content", [ACCEPTED, ACCEPTED.replace("AK9*A*1*1*1", "AK9*Q*1*1*1"), "XX*1"]
)
def test_a_997_is_never_answered_right_or_wrong(content: str) -> None:
    assert decode(as_bytes(interchange(group("FA", [("997", content)])))).answers == ()


def test_a_connection_without_acknowledgments_answers_nothing_and_says_so() -> None:
    decoded = decode(as_bytes(orders(ORDER, ORDER.replace("BEG*00", "BEG*99"))), acknowledge="none")
    assert outcome(decoded) == ["850", ("code_invalid", False)]
    assert decoded.answers == ()


def test_one_bad_set_does_not_hold_up_the_others_of_its_group() -> None:
    bad = ORDER.replace("PO1*3*2*EA", "PO1*3*2*EACH")
    decoded = decode(as_bytes(orders(ORDER, bad, ORDER)))
    assert outcome(decoded) == ["850", ("element_too_long", True), "850"]
    refusal = decoded.documents[1]
    assert isinstance(refusal, Refusal)
    assert (refusal.where, refusal.flow) == ("ISA 000000905 GS 1 ST 0002", "850")
    assert refusal.error.where == "PO1[3].PO103"
    data = as_bytes(orders(ORDER, bad, ORDER))
    place = data.index(b"PO1*3*2*EACH")
    assert refusal.error.detail == (
        f"(Unit or Basis for Measurement Code, 355) too long; segment 13, byte {place}"
    )


def test_a_wrong_group_refuses_all_of_its_sets_and_no_others() -> None:
    segments = interchange(
        group("PO", [("850", ORDER), ("850", ORDER)]), group("PC", [("860", CHANGE)], "2")
    )
    decoded = decode(as_bytes(changed(segments, "GE*2*1", "GE*3*1")))
    assert outcome(decoded) == [
        ("group_count_mismatch", True), ("group_count_mismatch", True), "860",
    ]  # fmt: skip
    assert [answer.body["heading"]["AK9"]["AK901"] for answer in decoded.answers] == ["R", "A"]


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [("IEA*2*000000905", "IEA*2*000000999", "interchange_control_mismatch"),
     ("IEA*2*000000905", "", "interchange_truncated"),
     ("IEA*2*000000905", "NTE**Z~IEA*2*000000905", "interchange_content_invalid")],
)  # fmt: skip
def test_nothing_of_an_interchange_counts_that_does_not_end_well(
    old: str, new: str, code: str
) -> None:
    segments = interchange(group("PO", [("850", ORDER)]), group("PC", [("860", CHANGE)], "2"))
    decoded = decode(as_bytes(changed(segments, old, new)))
    assert outcome(decoded) == [(code, False)]
    assert decoded.answers == ()
    assert decoded.documents[0].where == "ISA 000000905"


def test_a_cut_interchange_does_not_hold_up_the_whole_one_before_it() -> None:
    assert outcome(decode(GOOD + GOOD[:-30])) == ["850", ("interchange_truncated", False)]


def test_interchanges_of_others_in_the_same_file_do_not_hold_up_ours() -> None:
    foreign = GOOD.replace(b"ACMEDIST       ", b"SOMEBODY       ")
    assert outcome(decode(foreign + GOOD)) == [("partner_unknown", False), "850"]


@pytest.mark.parametrize("body", [b"", b"\r\n \x1a", b"\xef\xbb\xbf"])
def test_a_receipt_that_holds_nothing_is_refused(body: bytes) -> None:
    assert outcome(decode(body)) == [("interchange_missing", False)]


def test_ids_are_compared_without_padding_and_case() -> None:
    assert outcome(decode(GOOD.replace(b"ACMEDIST ", b"acmedist "))) == ["850"]
    options = {"partner_qualifier": "01"}
    assert outcome(decode(GOOD, **options)) == [("partner_unknown", False)]
    assert outcome(decode(GOOD, our_qualifier="14")) == [("receiver_unknown", False)]


def test_a_test_connection_takes_test_interchanges_alone() -> None:
    test = GOOD.replace(b"*0*P*>", b"*0*T*>")
    assert outcome(decode(test, usage="T")) == ["850"]
    assert outcome(decode(GOOD, usage="T")) == [("usage_mismatch", False)]


@pytest.mark.parametrize("version", ["004010VICS", "004030", "005010", "004060"])
def test_related_versions_are_read_with_the_same_guide_and_keep_their_name(version: str) -> None:
    (document,) = decode(
        as_bytes(interchange(group("PO", [("850", ORDER)], version=version)))
    ).documents
    assert isinstance(document, SourceDocument)
    assert (document.body["version"], document.control["version"]) == (version, version)


@pytest.mark.parametrize("number", ["../../etc", "A" * 5000, "\u202e\u0663", "*"])
def test_places_carry_no_text_that_a_sender_could_choose_at_will(number: str) -> None:
    body = as_bytes(changed(orders(), "*0001", f"*{number}"))
    for found in decode(body).documents:
        assert len(found.where) < 60
        assert found.where.replace(" ", "").replace("?", "").isalnum()


def test_decoding_takes_no_longer_for_a_file_of_many_small_interchanges_than_for_its_size() -> None:
    """A thousand interchanges, all read: a quadratic cut would not come back in time."""
    decoded = decode(GOOD * 1000)
    assert len(decoded.documents) == len(decoded.answers) == 1000


def test_the_readme_documents_every_code() -> None:
    text = (Path(__file__).parents[4] / "connectors/x12/README.md").read_text("utf-8")
    words = {
        *SEGMENT_CODES, *ELEMENT_CODES, *SET_CODES, *GROUP_CODES, *INTERCHANGE_CODES,
        *PARTNER_CODES, *APPLICATION_CODES,
    }  # fmt: skip
    assert [word for word in words if f"`{word}`" not in text] == []
    assert {word for word in words if f"`{word}` (t)" in text} == TOLERABLE
