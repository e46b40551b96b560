"""What partners are told: 997, 999, TA1 and 824 by the connection's options; and what they tell us."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.base import Confirmation, Decoded, Numbers, Receipt, Refusal, SourceDocument
from connectors.x12.codec import X12Codec
from connectors.x12.config import X12Config
from tests.support.x12_text import ORDER, as_bytes, changed, group, interchange, isa, orders

AT = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)
NUMBERS = Numbers(7, 7, AT)
BROKEN = ORDER.replace("PO1*1*3*EA", "PO1*1**EA*649.40**VN*1896-S*BP\nPO1*9*3*EA")
"""An order whose second line has a unit without a quantity, and a qualifier without its number."""


def codec(**options: Any) -> X12Codec:
    own = {"our_id": "CROSSDOCK", "partner_id": "ACMEDIST", **options}
    return X12Codec(X12Config.model_validate(own))


def decode(body: bytes, **options: Any) -> Decoded:
    return codec(**options).decode(Receipt("r1", "acme", "d1", AT, body))


def written(found: Decoded, index: int = 0, **options: Any) -> list[str]:
    """One answer as its partner gets it, without the envelope."""
    answer = found.answers[index]
    text = codec(**options).encode(answer.flow, answer.body, NUMBERS).decode()
    return [s for s in text.split("~") if s[:3] not in {"ISA", "IEA"} and s[:2] not in {"GS", "GE", "ST", "SE"}][:-1]  # fmt: skip


def read_back(found: Decoded, index: int = 0, **options: Any) -> SourceDocument:
    """One answer of ours as its partner reads it."""
    answer = found.answers[index]
    data = codec(**options).encode(answer.flow, answer.body, NUMBERS)
    (document,) = decode(data, our_id="ACMEDIST", partner_id="CROSSDOCK").documents
    assert isinstance(document, SourceDocument)
    return document


def test_one_bad_set_in_ten_is_refused_alone_and_the_997_says_partially_accepted() -> None:
    found = decode(as_bytes(orders(*[ORDER] * 4, BROKEN, *[ORDER] * 5)))
    refused = [d.where for d in found.documents if isinstance(d, Refusal)]
    assert refused == ["ISA 000000905 GS 1 ST 0005"]
    assert len(found.documents) == 10
    segments = written(found)
    assert segments[-1] == "AK9*P*10*10*9"
    assert [s for s in segments if s.startswith("AK5")] == ["AK5*A"] * 4 + ["AK5*R*5"] + ["AK5*A"] * 5  # fmt: skip


def test_a_999_names_the_segment_the_element_and_the_situation() -> None:
    found = decode(as_bytes(orders(BROKEN)), acknowledge="999")
    assert written(found) == [
        "AK1*PO*1*004010",
        "AK2*850*0001",
        "IK3*PO1*10**8",
        "IK4*2*330*2",
        "CTX*SITUATIONAL TRIGGER*PO1*10",
        "IK4*9*234*2",
        "CTX*SITUATIONAL TRIGGER*PO1*10",
        "IK5*R*5",
        "AK9*R*1*1*0",
    ]


@pytest.mark.parametrize("acknowledge", ["997", "999"])
@pytest.mark.parametrize(
    ("content", "state", "code"),
    [(ORDER, "accepted", None), (BROKEN, "rejected", "element_conditional_missing"), ("REF*DP*1", "rejected", "segment_missing")],
)  # fmt: skip
def test_an_answer_of_ours_is_read_as_it_was_meant(
    acknowledge: str, content: str, state: str, code: str | None
) -> None:
    segments = changed(orders(content), "GS*PO*ACMEDIST*CROSSDOCK*20261120*0830*1*X", "GS*PO*ACMEDIST*CROSSDOCK*20261120*0830*77*X")  # fmt: skip
    segments = changed(segments, "GE*1*1", "GE*1*77")
    document = read_back(decode(as_bytes(segments), acknowledge=acknowledge))
    (said,) = document.confirms
    assert (said.number, said.state) == (77, state)
    assert [reason.code for reason in said.reasons][:1] == ([code] if code else [])


def test_a_tolerated_error_is_accepted_with_errors() -> None:
    segments = changed(orders(), "SE*17*", "SE*3*")
    document = read_back(decode(as_bytes(segments), strictness="tolerant"))
    assert [(said.state, said.reasons[0].code) for said in document.confirms] == [
        ("accepted_with_errors", "set_count_mismatch")
    ]


ASKED = isa().replace("*0*P*>", "*1*P*>")
WRONG = changed(orders(), "IEA*1*", "IEA*4*")


@pytest.mark.parametrize(
    ("agreed", "segments", "expected"),
    [
        ("requested", orders(), None),
        ("requested", [ASKED, *orders()[1:]], "TA1*000000905*261120*0830*A*000"),
        ("requested", WRONG, None),
        ("requested", [ASKED, *WRONG[1:]], "TA1*000000905*261120*0830*R*021"),
        ("errors", orders(), None),
        ("errors", WRONG, "TA1*000000905*261120*0830*R*021"),
        ("errors", changed(orders(), "CROSSDOCK      *2", "SOMEBODY       *2"), "TA1*000000905*261120*0830*R*008"),
        ("always", orders(), "TA1*000000905*261120*0830*A*000"),
        ("none", [ASKED, *orders()[1:]], None),
    ],
)  # fmt: skip
def test_an_interchange_is_answered_with_a_ta1_where_that_was_agreed(
    agreed: str, segments: list[str], expected: str | None
) -> None:
    found = decode(as_bytes(segments), interchange_acknowledge=agreed)
    answers = [at for at, answer in enumerate(found.answers) if answer.flow == "TA1"]
    assert [written(found, at) for at in answers] == ([[expected]] if expected else [])
    for at in answers:
        (said,) = read_back(found, at).confirms
        assert (said.number, said.state) == (905, "received" if "*A*" in str(expected) else "rejected")  # fmt: skip


def test_a_tolerated_interchange_is_accepted_with_errors_by_the_ta1() -> None:
    found = decode(as_bytes(WRONG), interchange_acknowledge="always", strictness="tolerant")
    assert written(found) == ["TA1*000000905*261120*0830*E*021"]


@pytest.mark.parametrize(
    ("code", "state"), [("A", "received"), ("E", "received"), ("R", "rejected")]
)
def test_a_ta1_says_nothing_yet_of_what_is_in_the_envelope(code: str, state: str) -> None:
    body = as_bytes([isa(), f"TA1*000000012*261120*0830*{code}*000", "IEA*0*000000905"])
    (document,) = decode(body).documents
    assert isinstance(document, SourceDocument)
    assert [said.state for said in document.confirms] == [state]


def test_a_ta1_alone_is_read_and_never_answered() -> None:
    body = as_bytes([ASKED, "TA1*000000012*261120*0830*R*025", "IEA*0*000000905"])
    found = decode(body, interchange_acknowledge="always")
    (document,) = found.documents
    assert isinstance(document, SourceDocument)
    assert found.answers == ()
    assert [(s.number, s.state, [r.code for r in s.reasons]) for s in document.confirms] == [
        (12, "duplicate", ["interchange_number_conflict"])
    ]


NO_BALANCE = ORDER.replace("CTT*3", "CTT*4")


def test_an_application_error_is_refused_and_told_in_an_824_beside_the_997_that_accepts() -> None:
    found = decode(as_bytes(orders(ORDER, NO_BALANCE)), application_advice=True)
    refusal = found.documents[1]
    assert isinstance(refusal, Refusal)
    assert (refusal.error.code, refusal.error.where, refusal.answered) == ("line_count_wrong", "CTT[1].CTT01", True)  # fmt: skip
    assert [answer.flow for answer in found.answers] == ["997", "824"]
    assert written(found)[-1] == "AK9*A*2*2*2"
    assert written(found, 1) == [
        "BGN*00*1-0002*20261120",
        "OTI*TR*TN*0002*****1*0002*850",
        "TED*010*CTT[1].CTT01 line_count_wrong*CTT*15*1",
    ]
    assert read_back(found, 1).confirms[0].state == "rejected"


@pytest.mark.parametrize(
    ("code", "state"),
    [
        ("TA", "accepted"),
        ("TC", "accepted_with_errors"),
        ("TE", "accepted_with_errors"),
        ("TP", "rejected"),
        ("TR", "rejected"),
        ("GC", "accepted_with_errors"),
        ("IC", "accepted_with_errors"),
        ("IR", "rejected"),
        ("ZZ", "rejected"),
    ],
)
def test_an_824_says_what_became_of_a_document_in_the_words_of_element_110(
    code: str, state: str
) -> None:
    content = f"BGN*00*1*20261120\nOTI*{code}*TN*0001*****12*0001*810"
    body = as_bytes(interchange(group("AG", [("824", content)])))
    (document,) = decode(body).documents
    assert isinstance(document, SourceDocument)
    assert [(said.number, said.state) for said in document.confirms] == [(12, state)]


def test_without_the_agreement_an_application_error_is_left_to_the_mapping() -> None:
    found = decode(as_bytes(orders(NO_BALANCE)))
    assert [type(document) for document in found.documents] == [SourceDocument]


@pytest.mark.parametrize("number", ["9" * 5000, "1234567890", "", "A", "\u0661"])
def test_a_ta1_about_no_control_number_is_kept_for_a_person(number: str) -> None:
    body = as_bytes([isa(), f"TA1*{number}*261120*0830*A*000", "IEA*0*000000905"])
    (refusal,) = decode(body).documents
    assert isinstance(refusal, Refusal)
    assert refusal.error.code == "ta1_invalid"


def test_reasons_never_repeat_what_a_partner_copied_from_our_data() -> None:
    content = "AK1*IN*12\nAK2*810*0001\nAK3*SECRET*3\nAK4*2**7*SECRET\nAK5*R*5\nAK9*R*1*1*0"
    body = as_bytes(interchange(group("FA", [("997", content.replace("SECRET*3", "IT1*3"))])))
    (document,) = decode(body).documents
    assert isinstance(document, SourceDocument)
    (said,) = document.confirms
    scope = "ZZ:CROSSDOCK/ZZ:ACMEDIST/P"
    assert said == Confirmation(12, "rejected", said.reasons, scope=scope, flows=("810",))
    assert [(r.code, r.where) for r in said.reasons] == [("code_invalid", "IT1 segment 3 element 2")]  # fmt: skip
    assert "SECRET" not in repr(said)


@pytest.mark.parametrize(
    ("content", "state"),
    [
        ("AK1*IN*12\nAK9*R*1*1*0*19", "duplicate"),
        ("AK1*IN*12\nAK2*810*0001\nAK5*R*23\nAK9*R*1*1*0", "duplicate"),
        ("AK1*IN*12\nAK2*810*0001\nAK5*R*23*4\nAK9*R*1*1*0", "rejected"),
        ("AK1*IN*12\nAK9*R*1*1*0", "rejected"),
        ("AK1*IN*12\nAK9*E*1*1*1*19", "accepted_with_errors"),
    ],
    ids=["group", "set", "set and its count", "no reason", "no refusal"],
)
def test_a_no_to_nothing_but_the_number_is_told_apart(content: str, state: str) -> None:
    body = as_bytes(interchange(group("FA", [("997", content)])))
    (document,) = decode(body).documents
    assert isinstance(document, SourceDocument)
    assert [said.state for said in document.confirms] == [state]


@pytest.mark.parametrize(
    ("code", "state"), [("025", "duplicate"), ("021", "rejected")], ids=["duplicate", "count"]
)
def test_a_ta1_about_the_number_alone_is_told_apart(code: str, state: str) -> None:
    body = as_bytes([isa(), f"TA1*000000012*261120*0830*R*{code}", "IEA*0*000000905"])
    (document,) = decode(body).documents
    assert isinstance(document, SourceDocument)
    assert [said.state for said in document.confirms] == [state]


@pytest.mark.parametrize(
    ("faults", "state"),
    [
        ("TED*006", "duplicate"),
        ("TED*006**BIG*2", "duplicate"),
        ("TED*006**IT1*7", "rejected"),
        ("TED*006\nTED*010", "rejected"),
    ],
    ids=["the document", "its beginning", "a line", "and a total"],
)
def test_an_824_that_only_says_the_document_came_before_is_told_apart(
    faults: str, state: str
) -> None:
    content = f"BGN*00*7*20261120\nOTI*TR*IV*INV-1*****12*0001*810\n{faults}"
    body = as_bytes(interchange(group("AG", [("824", content)])))
    (document,) = decode(body).documents
    assert isinstance(document, SourceDocument)
    assert [said.state for said in document.confirms] == [state]


def test_a_set_that_was_not_agreed_with_this_partner_is_refused_and_told_so() -> None:
    refused = decode(as_bytes(orders()), sets=["860"])
    assert [each.error.code for each in refused.documents if isinstance(each, Refusal)] == ["set_unsupported"]  # fmt: skip
    assert "AK5*R*1" in written(refused)
    taken = decode(as_bytes(orders()), sets=["850"])
    assert [type(each) for each in taken.documents] == [SourceDocument]
    yes = as_bytes(interchange(group("FA", [("997", "AK1*IN*12\nAK9*A*1*1*1")])))
    assert [type(each) for each in decode(yes, sets=["850"]).documents] == [SourceDocument]
    with pytest.raises(ValueError, match="852 is not read"):
        codec(sets=["852"])


@pytest.mark.parametrize(
    ("group_id", "responses", "flows"),
    [
        ("IN", "", ("810",)),
        ("FA", "", ("997", "999")),
        ("FA", "AK2*999*0001\nAK5*A\n", ("999",)),
        ("IN", "AK2*850*0001\nAK5*A\n", ("group IN",)),
        ("SC", "", ("group SC",)),
    ],
    ids=["a group", "one of two sets", "a set that is named", "not in such a group", "not ours"],
)
def test_an_acknowledgment_is_about_a_set_that_its_group_carries(
    group_id: str, responses: str, flows: tuple[str, ...]
) -> None:
    content = f"AK1*{group_id}*12\n{responses}AK9*A*1*1*1"
    body = as_bytes(interchange(group("FA", [("997", content)])))
    (document,) = decode(body).documents
    assert isinstance(document, SourceDocument)
    assert [said.flows for said in document.confirms] == [flows]


@pytest.mark.parametrize(
    ("old", "new", "remembered"),
    [
        ("IEA*1", "IEA*2", ["", "905"]),
        ("ACMEDIST       ", "SOMEBODY       ", []),
        ("*P*>", "*T*>", []),
    ],
    ids=["refused", "of another", "a test"],
)
def test_what_is_refused_as_a_whole_has_come_and_what_is_not_ours_has_not(
    old: str, new: str, remembered: list[str]
) -> None:
    found = decode(as_bytes(changed(orders(), old, new))).interchanges
    assert [text for each in found for text in (each.sha256, each.key)] == remembered


def test_interchanges_are_told_apart_by_number_and_bytes_with_what_they_hold() -> None:
    first, second = orders(ORDER, ORDER), changed(orders(), "000000905", "000000906")
    found = decode(as_bytes(first) + b"\n" + as_bytes(second))
    assert [(i.number, i.documents, i.answers) for i in found.interchanges] == [
        (905, range(2), range(1)),
        (906, range(2, 3), range(1, 2)),
    ]
    assert found.interchanges[0].sha256 != found.interchanges[1].sha256
    alone = decode(as_bytes(second) + b"\n\n").interchanges
    assert alone[0].sha256 == found.interchanges[1].sha256
    conflict = found.interchanges[0].conflict
    assert conflict is not None
    assert (conflict.body["TA1"]["TA104"], conflict.body["TA1"]["TA105"]) == ("R", "025")
    assert decode(as_bytes(first), control_numbers="unchecked").interchanges == ()
