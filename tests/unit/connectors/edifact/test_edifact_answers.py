"""What partners say of what we sent, and which references of theirs the hub must remember."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.base import Confirmation, Decoded, Numbers, Receipt, Refusal, SourceDocument
from connectors.edifact.codec import EdifactCodec
from connectors.edifact.config import EdifactConfig
from tests.support.edifact_text import CONTRL, ORDER, interchange, message, orders

AT = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)
SIDES = "5412345000013:14+4012345500004:14"
GOOD = orders()
DESPATCH = {
    "heading": {"BGM": {"BGM0101": "351", "BGM0201": "D-1"}},
    "detail": {"CPS_group": [{"CPS": {"CPS0101": "1"}}]},
}


def codec(**options: Any) -> EdifactCodec:
    own = {"our_id": "5412345000013", "partner_id": "4012345500004", **options}
    return EdifactCodec(EdifactConfig.model_validate(own))


def decode(text: str, **options: Any) -> Decoded:
    return codec(**options).decode(Receipt("r1", "acme", "d1", AT, text.encode()))


def said(content: str, kind: str = "CONTRL") -> tuple[Confirmation, ...]:
    """What an answer of the partner says of ours."""
    version = "D:3" if kind == "CONTRL" else "D:96A"
    (document,) = decode(interchange(message(content, kind, version))).documents
    assert isinstance(document, SourceDocument)
    return document.confirms


def reasons(found: tuple[Confirmation, ...]) -> list[tuple[str, str, str]]:
    return [(each.code, each.where, each.detail) for one in found for each in one.reasons]


@pytest.mark.parametrize(
    ("action", "state"),
    [("7", "accepted"), ("1", "accepted"), ("8", "received"), ("4", "rejected")],
)
def test_the_action_of_an_interchange_is_what_becomes_of_its_only_document(
    action: str, state: str
) -> None:
    assert said(f"UCI+17+{SIDES}+{action}'") == (
        Confirmation(17, state, scope="edifact/:5412345000013/:4012345500004/P"),
    )


def test_a_message_that_is_rejected_alone_is_rejected_with_segment_and_element() -> None:
    found = said(f"{CONTRL}UCM+17+DESADV:D:96A:UN+4'UCS+9'UCD+39+3:1'UCS+11+13'")
    assert [(each.number, each.state) for each in found] == [(17, "rejected")]
    assert reasons(found) == [
        ("element_too_long", "segment 9 element 2 component 1", "code 39"),
        ("part_missing", "segment 11", "code 13"),
    ]
    assert [each.flows for each in found] == [("DESADV",)]


@pytest.mark.parametrize(
    ("content", "state"),
    [
        (f"UCI+17+{SIDES}+4+26+UNB'", "duplicate"),
        (f"{CONTRL}UCM+17+DESADV:D:96A:UN+4+26+UNH'", "duplicate"),
        (f"{CONTRL}UCM+17+DESADV:D:96A:UN+4+26+UNH'UCS+9'UCD+39+3:1'", "rejected"),
        (f"{CONTRL}UCM+17+DESADV:D:96A:UN+4'UCS+9+26'", "rejected"),
        (f"UCI+17+{SIDES}+4+23+UNB'", "rejected"),
    ],
    ids=["interchange", "message", "and an element", "a segment", "another reason"],
)
def test_a_no_to_nothing_but_the_number_is_told_apart(content: str, state: str) -> None:
    assert [each.state for each in said(content)] == [state]


def test_a_message_that_was_not_agreed_with_this_partner_is_refused_and_told_so() -> None:
    refused = decode(orders(), messages=["ORDCHG"])
    assert [each.error.code for each in refused.documents if isinstance(each, Refusal)] == ["message_unsupported"]  # fmt: skip
    assert [answer.flow for answer in refused.answers] == ["CONTRL"]
    taken = decode(orders(), messages=["ORDERS"])
    assert [type(each) for each in taken.documents] == [SourceDocument]
    yes = interchange(message(f"UCI+17+{SIDES}+7'", "CONTRL", "D:3"))
    assert [type(each) for each in decode(yes, messages=["ORDERS"]).documents] == [SourceDocument]
    with pytest.raises(ValueError, match="ORDERZ is not read"):
        codec(messages=["ORDERZ"])


def test_a_rejected_interchange_says_which_service_segment_is_wrong() -> None:
    found = said(f"UCI+17+{SIDES}+4+23+UNB+3:1'")
    assert reasons(found) == [("partner_unknown", "UNB element 2 component 1", "code 23")]


def test_what_is_rejected_in_a_group_is_rejected() -> None:
    group = "UCF+1+5412345000013:14+4012345500004:14+4+29+UNE'"
    found = said(CONTRL + group)
    assert [each.state for each in found] == ["rejected"]
    assert reasons(found) == [("count_mismatch", "UNE", "code 29")]


def test_errors_that_are_noted_of_a_message_that_is_taken_are_kept() -> None:
    found = said(f"{CONTRL}UCM+17+INVOIC:D:96A:UN+7+29+UNT+2'")
    assert [each.state for each in found] == ["accepted_with_errors"]


def test_an_answer_to_a_reference_that_is_no_number_of_ours_says_nothing() -> None:
    assert said(f"UCI+ABC17+{SIDES}+4'") == ()


def test_reasons_never_repeat_what_a_partner_wrote_where_a_code_belongs() -> None:
    found = said(f"{CONTRL}UCM+17+DESADV:D:96A:UN+4+99+UNT+2'UCS+9+x?'y'")
    assert reasons(found) == [
        ("partner_error", "UNT element 1", "code 99"),
        ("partner_error", "segment 9", "code xy"),
    ]


APERAK = "BGM+313+A-1{bgm}'DTM+137:20261125:102'{rff}NAD+MS+4012345500004::9'{erc}"


def aperak(bgm: str = "", rff: str = "RFF+ACW:17'", erc: str = "") -> tuple[Confirmation, ...]:
    return said(APERAK.format(bgm=bgm, rff=rff, erc=erc), "APERAK")


ERC = "ERC+27'FTX+AAO+++ORDER UNKNOWN'"


@pytest.mark.parametrize(
    ("bgm", "erc", "state"),
    [
        ("+27", ERC, "rejected"),
        ("+9+RE", ERC, "rejected"),
        ("+29", "", "accepted"),
        ("+9+AP", ERC, "accepted_with_errors"),
        ("+9+AB", "", "received"),
        ("", ERC, "rejected"),
        ("", "", "accepted"),
    ],
)
def test_an_aperak_says_yes_or_no_and_where_it_does_not_errors_are_a_no(
    bgm: str, erc: str, state: str
) -> None:
    (found,) = aperak(bgm, erc=erc)
    assert (found.number, found.document, found.state) == (17, "", state)
    if erc:
        assert reasons((found,)) == [("application_error", "ERC[1]", "code 27")]


@pytest.mark.parametrize(
    ("rff", "number", "document", "entities"),
    [
        ("RFF+AGO:INV-9'", 0, "INV-9", ()),
        ("RFF+ACW:17'RFF+IV:INV-9'", 17, "INV-9", ("invoice",)),
        ("RFF+ACW:INV-9'", 0, "INV-9", ()),
        ("RFF+ON:PO-1'RFF+AAK:D-1'", 0, "D-1", ("shipment",)),
        ("RFF+ON:PO-1'", 0, "PO-1", ("order", "order_change", "order_response")),
    ],
)
def test_an_aperak_may_name_the_document_by_its_own_number(
    rff: str, number: int, document: str, entities: tuple[str, ...]
) -> None:
    (found,) = aperak("+27", rff)
    assert (found.number, found.document, found.entities) == (number, document, entities)


def test_an_aperak_that_names_nothing_says_nothing() -> None:
    assert aperak("+27", "") == ()


def test_the_interchange_and_its_message_have_one_number_and_ask_for_an_answer() -> None:
    text = codec().encode("DESADV", DESPATCH, Numbers(17, 17, AT)).decode()
    assert "+17++++1'" in text
    assert "UNH+17+DESADV" in text
    unasked = codec(confirmed_within_hours=0).encode("DESADV", DESPATCH, Numbers(17, 17, AT))
    assert b"+17'" in unasked


def test_an_answer_asks_for_none() -> None:
    (answer,) = decode(GOOD).answers
    assert b"+5'UNH+5+CONTRL" in codec().encode("CONTRL", answer.body, Numbers(5, 5, AT))


def test_the_reference_of_an_interchange_is_remembered_with_the_hash_of_its_bytes() -> None:
    again = interchange(message(ORDER), reference="906")
    (first, second) = decode(f"{GOOD}\r\n{again}").interchanges
    assert [(each.number, each.key, each.place) for each in (first, second)] == [
        (905, "905", "UNB 905"), (906, "906", "UNB 906"),
    ]  # fmt: skip
    assert (first.documents, second.documents, first.answers) == (range(1), range(1, 2), range(1))
    assert decode(GOOD).interchanges == (first,)
    assert decode(GOOD.replace("1896-S", "1897-S")).interchanges[0].sha256 != first.sha256
    assert first.scope == "edifact/:5412345000013/:4012345500004/P"


def test_a_reference_that_is_no_number_is_remembered_as_text() -> None:
    (found,) = decode(GOOD.replace("905", "ORD-2026-0007")).interchanges
    assert (found.number, found.key, found.place) == (0, "ORD-2026-0007", "UNB ORD-2026-0007")


def test_a_reference_that_comes_again_with_other_bytes_is_answered_with_code_26() -> None:
    (found,) = decode(GOOD).interchanges
    assert found.conflict is not None
    text = codec().encode("CONTRL", found.conflict.body, Numbers(3, 3, AT)).decode()
    assert "UCI+905+4012345500004:14+5412345000013:14+4+26+UNB+6'" in text


def test_a_contrl_is_never_answered_by_one_even_where_its_reference_came_before() -> None:
    (found,) = decode(interchange(message(CONTRL, "CONTRL", "D:3"))).interchanges
    assert found.conflict is None


@pytest.mark.parametrize(
    "text", [GOOD[:-20], GOOD.replace("UNZ+1", "UNZ+2")], ids=["cut", "refused"]
)
def test_what_was_refused_as_a_whole_has_come_and_may_come_again_under_its_reference(
    text: str,
) -> None:
    (found,) = decode(text).interchanges
    assert (found.key, found.sha256) == ("905", "")


@pytest.mark.parametrize("old", ["UNOC:3+4012345500004", "5412345000013:14+2611"])
def test_the_reference_of_somebody_elses_interchange_is_not_remembered(old: str) -> None:
    assert decode(GOOD.replace(old, old.replace("00001", "99999").replace("55000", "99000"))).interchanges == ()  # fmt: skip


def test_references_that_a_partner_does_not_count_are_not_remembered() -> None:
    found = decode(GOOD, control_numbers="unchecked")
    assert found == replace(decode(GOOD), interchanges=())
