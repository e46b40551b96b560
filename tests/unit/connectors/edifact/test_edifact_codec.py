"""What a receipt becomes: documents, refusals with their codes, and what the sender is told."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from canonical.errors import Rejected
from connectors.base import Decoded, Json, Numbers, Receipt, Refusal, SourceDocument
from connectors.edifact.codec import EdifactCodec
from connectors.edifact.config import EdifactConfig
from connectors.edifact.engine.aperak import ERRORS
from connectors.edifact.engine.faults import (
    APPLICATION_CODES,
    ELEMENT_CODES,
    GROUP_CODES,
    INTERCHANGE_CODES,
    MESSAGE_CODES,
    SEGMENT_CODES,
    TOLERABLE,
)
from connectors.edifact.engine.reader import MAX_SEGMENT
from tests.support.edifact_text import CHANGE, CONTRL, ORDER, group, interchange, message, orders

AT = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)
GOOD = orders()
TWICE = interchange(message(ORDER), message(ORDER))
BAD = ORDER.replace("QTY+21:12", "QTY+21:X")


def codec(**options: Any) -> EdifactCodec:
    own = {"our_id": "5412345000013", "partner_id": "4012345500004", **options}
    return EdifactCodec(EdifactConfig.model_validate(own))


def decode(body: str | bytes, **options: Any) -> Decoded:
    data = body.encode() if isinstance(body, str) else body
    return codec(**options).decode(Receipt("r1", "acme", "d1", AT, data))


def outcome(decoded: Decoded) -> list[tuple[str, bool] | str]:
    """For each document its flow, or its refusal's code and whether the sender is told."""
    return [
        (found.error.code, found.answered) if isinstance(found, Refusal) else found.flow
        for found in decoded.documents
    ]


def contrl(body: str, **options: Any) -> Json:
    """The one CONTRL that answers `body`."""
    (answer,) = [each for each in decode(body, **options).answers if each.flow == "CONTRL"]
    return answer.body


REFUSALS: dict[str, tuple[str, bool]] = {
    "message_unsupported": (GOOD.replace("ORDERS", "PRICAT"), True),
    "version_unsupported": (GOOD.replace("D:96A", "D:XXX"), True),
    "directory_unknown": (GOOD.replace("D:96A", "D:97A"), True),
    "message_trailer_missing": (GOOD.replace("UNT+22+1'", ""), True),
    "message_nested": (GOOD.replace("UNH+1", "UNH+0+ORDERS:D:96A:UN'UNH+1"), True),
    "message_reference_missing": (
        GOOD.replace("UNH+1+", "UNH++").replace("UNT+22+1", "UNT+22+"), True,
    ),
    "message_reference_duplicate": (TWICE, True),
    "message_control_mismatch": (GOOD.replace("UNT+22+1", "UNT+22+2"), True),
    "message_count_mismatch": (GOOD.replace("UNT+22", "UNT+23"), True),
    "group_trailer_missing": (interchange(group(message(ORDER))).replace("UNE+1+7'", ""), True),
    "group_reference_missing": (interchange(group(message(ORDER), reference="")), True),
    "group_reference_duplicate": (interchange(group(message(ORDER)), group(message(ORDER))), True),
    "group_control_mismatch": (interchange(group(message(ORDER))).replace("UNE+1+7", "UNE+1+8"), True),
    "group_count_mismatch": (interchange(group(message(ORDER))).replace("UNE+1", "UNE+2"), True),
    "group_type_mixed": (
        interchange(group(message(ORDER), message(CHANGE, "ORDCHG", reference="2"))), True,
    ),
    "group_empty": (interchange(group(), group(message(ORDER), reference="8")), True),
    "interchange_missing": ("hello", False),
    "interchange_header_missing": (message(ORDER), False),
    "unb_unreadable": ("UNB+UNOC:3+" + "A" * 3000, False),
    "delimiter_ambiguous": ("UNA::.? '" + GOOD, False),
    "segment_too_long": (GOOD[:100] + "A" * (MAX_SEGMENT + 200_000), False),
    "syntax_unsupported": (GOOD.replace("UNOC:3", "UNOC:7"), True),
    "partner_unknown": (GOOD.replace("UNOC:3+4012345500004", "UNOC:3+SOMEBODY"), False),
    "receiver_unknown": (GOOD.replace("5412345000013:14+2611", "SOMEBODY:14+2611"), False),
    "usage_mismatch": (GOOD.replace("0830+905'", "0830+905++++++1'"), True),
    "interchange_reference_missing": (GOOD.replace("+905'", "+'"), True),
    "interchange_control_mismatch": (GOOD.replace("UNZ+1+905", "UNZ+1+906"), True),
    "interchange_count_mismatch": (GOOD.replace("UNZ+1", "UNZ+2"), True),
    "interchange_mixed": (interchange(message(ORDER), group(message(ORDER))).replace("UNZ+2", "UNZ+1"), True),
    "interchange_content_invalid": (GOOD.replace("UNH+1", "ABC+1'UNH+1"), True),
    "interchange_empty": (interchange(), True),
    "interchange_truncated": (GOOD[:-20], True),
}  # fmt: skip


def test_every_code_of_an_envelope_has_its_case() -> None:
    assert set(REFUSALS) == set(MESSAGE_CODES) | set(GROUP_CODES) | set(INTERCHANGE_CODES)


@pytest.mark.parametrize("code", REFUSALS)
def test_what_is_wrong_with_an_envelope_is_refused_and_answered_where_it_can_be(code: str) -> None:
    body, answered = REFUSALS[code]
    decoded = decode(body)
    assert (code, answered) in outcome(decoded)
    for answer in decoded.answers:
        assert codec().encode(answer.flow, answer.body, Numbers(1, 1, AT))
    assert bool(decoded.answers) == answered or code == "segment_too_long"


@pytest.mark.parametrize("code", sorted(TOLERABLE))
def test_a_tolerant_connection_accepts_what_loses_nothing_and_records_it(code: str) -> None:
    decoded = decode(REFUSALS[code][0], strictness="tolerant")
    documents = [found for found in decoded.documents if isinstance(found, SourceDocument)]
    assert len(documents) == len(decoded.documents)
    assert any(code in found.control["warnings"].split(",") for found in documents)


@pytest.mark.parametrize("code", sorted(set(REFUSALS) - TOLERABLE))
def test_a_tolerant_connection_refuses_the_rest_all_the_same(code: str) -> None:
    body, answered = REFUSALS[code]
    assert (code, answered) in outcome(decode(body, strictness="tolerant"))


def test_another_directory_is_named_with_those_that_there_are() -> None:
    (refused,) = decode(REFUSALS["directory_unknown"][0]).documents
    assert isinstance(refused, Refusal)
    assert refused.error.where == "UNH0203"
    assert refused.error.detail == (
        "no guide for the directory that UNH names (D97A; there are D96A, D01B):"
        " a tolerant connection reads it by D96A"
    )


def test_a_tolerant_connection_says_by_which_directory_it_read() -> None:
    (read,) = decode(REFUSALS["directory_unknown"][0], strictness="tolerant").documents
    assert isinstance(read, SourceDocument)
    assert (read.control["version"], read.control["directory"]) == ("D97A", "D96A")
    assert read.control["warnings"] == "directory_unknown"


def test_a_document_says_where_it_stands_and_what_its_envelope_says() -> None:
    (document,) = decode(GOOD).documents
    assert isinstance(document, SourceDocument)
    assert document.where == "UNB 905 UNH 1"
    assert document.control == {
        "unb05": "905", "unh01": "1", "sender": "4012345500004", "receiver": "5412345000013",
        "usage": "P", "version": "D96A", "directory": "D96A", "association": "", "warnings": "",
    }  # fmt: skip


def test_an_interchange_in_which_nothing_is_wrong_is_acknowledged_in_one_segment() -> None:
    assert contrl(GOOD) == {
        "message": "CONTRL",
        "heading": {
            "UCI": {
                "UCI0101": "905", "UCI0201": "4012345500004", "UCI0202": "14",
                "UCI0301": "5412345000013", "UCI0302": "14", "UCI0401": "7",
            }
        },
    }  # fmt: skip


def test_one_bad_message_of_three_is_rejected_with_its_places_and_the_others_are_not() -> None:
    text = orders(ORDER, BAD.replace("CUX+2:EUR", "CUX+2:EURO"), ORDER)
    assert outcome(decode(text)) == ["ORDERS", ("element_too_long", True), "ORDERS"]
    body = contrl(text)
    assert body["heading"]["UCI"]["UCI0401"] == "7"
    (rejected,) = body["detail"]["UCM_group"]
    assert rejected["UCM"] == {
        "UCM0101": "2", "UCM0201": "ORDERS", "UCM0202": "D", "UCM0203": "96A", "UCM0204": "UN",
        "UCM0301": "4",
    }  # fmt: skip
    # CUX is the tenth segment: its first element, second component (EURO: too long, 39).
    assert rejected["UCS_group"] == [
        {"UCS": {"UCS0101": "10"},
         "UCD": [{"UCD0101": "39", "UCD0201": "2", "UCD0202": "2"}]},
        {"UCS": {"UCS0101": "18"},
         "UCD": [{"UCD0101": "19", "UCD0201": "2", "UCD0202": "2"}]},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("code", "level", "error", "segment", "element"),
    [
        ("interchange_count_mismatch", "UCI", "29", "UNZ", "2"),
        ("interchange_truncated", "UCI", "13", "UNZ", None),
        ("syntax_unsupported", "UCI", "2", "UNB", "2"),
        ("usage_mismatch", "UCI", "25", "UNB", "12"),
        ("interchange_empty", "UCI", "32", "UNZ", None),
        ("message_count_mismatch", "UCM", "29", "UNT", "2"),
        ("message_unsupported", "UCM", "14", "UNH", "3"),
        ("message_reference_duplicate", "UCM", "26", "UNH", "2"),
        ("group_count_mismatch", "UCF", "29", "UNE", "2"),
        ("group_type_mixed", "UCF", "31", "UNG", "2"),
    ],
)
def test_each_level_names_its_error_its_segment_and_its_element(
    code: str, level: str, error: str, segment: str, element: str | None
) -> None:
    body = contrl(REFUSALS[code][0])
    nodes = {
        "UCI": [body["heading"]["UCI"]],
        "UCM": [each["UCM"] for each in body.get("detail", {}).get("UCM_group", [])],
        "UCF": [each["UCF"] for each in body.get("detail", {}).get("UCF_group", [])],
    }[level]
    at = 4 if level == "UCM" else 5
    assert {node[f"{level}{at - 1:02d}01"] for node in nodes} == {"4"}
    assert {node[f"{level}{at:02d}01"] for node in nodes} == {error}
    assert {node[f"{level}{at + 1:02d}01"] for node in nodes} == {segment}
    assert {node.get(f"{level}{at + 2:02d}01") for node in nodes} == {element}


@pytest.mark.parametrize(("syntax", "version"), [("3", b"CONTRL:D:3:UN"), ("4", b"CONTRL:4:1:UN")])
def test_the_version_of_a_contrl_follows_the_syntax(syntax: str, version: bytes) -> None:
    (answer,) = decode(GOOD).answers
    written = codec(syntax=syntax).encode("CONTRL", answer.body, Numbers(3, 3, AT))
    assert version in written
    assert b"+3'" in written


@pytest.mark.parametrize(
    ("acknowledge", "text", "answers"),
    [
        ("always", GOOD, 1), ("none", orders(BAD), 0), ("errors", GOOD, 0), ("errors", orders(BAD), 1),
        ("errors", GOOD.replace("UNZ+1", "UNZ+2"), 1), ("requested", GOOD, 0),
        ("requested", GOOD.replace("0830+905'", "0830+905++++1'"), 1),
    ],
)  # fmt: skip
def test_a_connection_answers_as_agreed_and_says_so(
    acknowledge: str, text: str, answers: int
) -> None:
    decoded = decode(text, acknowledge=acknowledge)
    assert len(decoded.answers) == answers
    refused = [found for found in decoded.documents if isinstance(found, Refusal)]
    assert all(refusal.answered == bool(answers) for refusal in refused)


@pytest.mark.parametrize("content", [CONTRL, CONTRL.replace("UCI+17", "UCI+")])
def test_a_contrl_is_recorded_and_never_answered(content: str) -> None:
    decoded = decode(interchange(message(content, "CONTRL", "D:3")))
    assert decoded.answers == ()
    assert len(decoded.documents) == 1


IMPOSSIBLE = orders(ORDER.replace("20261205", "20261235"))


def test_what_an_application_finds_is_noted_unless_it_is_to_refuse() -> None:
    (noted,) = decode(IMPOSSIBLE).documents
    assert isinstance(noted, SourceDocument)
    assert noted.control["warnings"] == "date_impossible"
    (silent,) = decode(IMPOSSIBLE, application="off").documents
    assert isinstance(silent, SourceDocument)
    assert silent.control["warnings"] == ""
    assert outcome(decode(IMPOSSIBLE, application="refuse")) == [("date_impossible", False)]


def test_an_aperak_says_what_an_application_finds_and_the_contrl_does_not() -> None:
    decoded = decode(IMPOSSIBLE, application="refuse", aperak=True)
    assert outcome(decoded) == [("date_impossible", True)]
    first, second = decoded.answers
    assert (first.flow, second.flow) == ("CONTRL", "APERAK")
    assert "detail" not in first.body
    written = codec().encode("APERAK", second.body, Numbers(4, 4, AT)).decode()
    assert "RFF+ACW:1'RFF+AGO:PO-4711'" in written
    assert "ERC+DATE::ZZZ'FTX+AAO+++DTM[2].DTM0102 at segment 4" in written
    assert "20261235" not in written


def test_an_application_error_has_a_code_of_eight_characters_at_most() -> None:
    assert set(ERRORS) == set(APPLICATION_CODES)
    assert max(map(len, ERRORS.values())) <= 8


def test_one_report_becomes_a_document_for_each_line_and_place() -> None:
    stock = "BGM+35+R+9'DTM+137:20261120:102'LIN+1++A:SA'QTY+145:1'LOC+18+X'QTY+145:2'LOC+18+Y'QTY+21:9'LOC+18+X'LIN+2++B:SA'QTY+145:3'"
    documents = decode(interchange(message(stock, "INVRPT"))).documents
    assert [found.where for found in documents] == [
        "UNB 905 UNH 1 LIN 1", "UNB 905 UNH 1 LIN 1", "UNB 905 UNH 1 LIN 2",
    ]  # fmt: skip
    quantities = [
        [each["QTY"]["QTY0102"] for each in found.body["detail"]["LIN_group"][0]["QTY_group"]]
        for found in documents
        if isinstance(found, SourceDocument)
    ]
    assert quantities == [["1", "9"], ["2"], ["3"]]


def test_interchanges_of_others_in_the_same_file_do_not_hold_up_ours() -> None:
    foreign = GOOD.replace("UNOC:3+4012345500004", "UNOC:3+SOMEBODY")
    assert outcome(decode(foreign + GOOD)) == [("partner_unknown", False), "ORDERS"]
    assert outcome(decode(GOOD + GOOD[:-20])) == ["ORDERS", ("interchange_truncated", True)]


def test_ids_are_compared_without_padding_and_case_and_qualifiers_where_they_are_given() -> None:
    assert outcome(decode(GOOD.replace("UNOC:3+4012345500004", "UNOC:3+4012345500004  "))) == [
        "ORDERS"
    ]
    assert outcome(decode(GOOD, partner_qualifier="14", our_qualifier="14")) == ["ORDERS"]
    assert outcome(decode(GOOD, partner_qualifier="ZZ")) == [("partner_unknown", False)]


@pytest.mark.parametrize("number", ["../../etc", "A" * 5000, "\u202e\u0663", "*"])
def test_places_carry_no_text_that_a_sender_could_choose_at_will(number: str) -> None:
    for found in decode(
        GOOD.replace("+905'", f"+{number}'").replace("UNH+1", f"UNH+{number}")
    ).documents:
        assert len(found.where) < 60
        assert found.where.replace(" ", "").replace("?", "").isalnum()


def test_a_thousand_small_interchanges_are_read_in_the_time_of_their_bytes() -> None:
    """A quadratic cut would not come back in time."""
    decoded = decode(GOOD * 1000)
    assert len(decoded.documents) == len(decoded.answers) == 1000


@pytest.mark.parametrize("depth", [10, 30, 3000])
def test_packages_in_packages_without_end_stay_a_document_that_can_be_written_as_json(
    depth: int,
) -> None:
    levels = "".join(f"CPS+{at}+{at - 1 or ''}'" for at in range(1, depth + 1))
    text = interchange(message(f"BGM+351+D+9'DTM+137:20261120:102'{levels}", "DESADV"))
    (document,) = decode(text).documents
    assert isinstance(document, SourceDocument)
    assert str(document.body).count("'CPS0101'") == depth


@pytest.mark.parametrize(
    "options",
    [
        {"element_separator": ":"}, {"decimal_mark": ",", "component_separator": ","},
        {"partner_id": "A" * 36}, {"segment_terminator": "A"}, {"version": "D93A"}, {"charset": "UNOZ"},
        {"guide": {"ORDERS": [{"at": "bgm"}]}}, {"guide": {"ORDERS": [{"at": "BGM", "other": 1}]}},
    ],
)  # fmt: skip
def test_options_that_cannot_work_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        codec(**options)


@pytest.mark.parametrize("guide", [{"ORDERS": [{"at": "XYZ", "status": "M"}]}, {"NOPE12": []}])
def test_a_guide_that_cannot_be_made_narrower_is_refused_at_once(guide: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=rf"guide\n.*{next(iter(guide))}"):
        codec(guide=guide)


@pytest.mark.parametrize(
    ("flow", "body", "code"),
    [
        ("GENRAL", {}, "flow_unsupported"),
        ("DESADV", {"message": "INVOIC"}, "flow_unsupported"),
        ("DESADV", {"version": "D92X"}, "version_unsupported"),
        ("DESADV", {"version": 7}, "version_unsupported"),
        ("DESADV", {}, "segment_missing"),
        ("DESADV", {"else": {}}, "element_unknown"),
        ("DESADV", {"heading": {"BGM": {"BGM0101": 7}}}, "value_invalid"),
        ("DESADV", {"heading": {"BGM": {"BGM9901": "7"}}}, "element_unknown"),
        ("DESADV", {"heading": {"BGM": {"NAD0101": "7"}}}, "element_unknown"),
        ("DESADV", {"heading": {"BGM": {"BGM0101_2": "7"}}}, "element_repeated"),
        ("DESADV", {"heading": {"BGM": []}, "detail": 7}, "value_invalid"),
        ("DESADV", {"heading": {"BGM": {"BGM0201": "日本"}}}, "character_not_in_charset"),
        ("DESADV", {"reference": "7 7"}, "value_invalid"),
    ],
)
def test_a_body_that_cannot_be_written_is_refused(flow: str, body: Json, code: str) -> None:
    with pytest.raises(Rejected) as refused:
        codec().encode(flow, body, Numbers(1, 1, AT))
    assert refused.value.code == code


def test_what_nothing_releases_cannot_be_written() -> None:
    body = {"heading": {"BGM": {"BGM0201": "A+B"}}}
    with pytest.raises(Rejected) as refused:
        codec(release_character=" ").encode("DESADV", body, Numbers(1, 1, AT))
    assert refused.value.code == "value_holds_delimiter"


@pytest.mark.parametrize("number", [0, 1_000_000_000])
def test_control_numbers_have_one_to_nine_digits(number: int) -> None:
    with pytest.raises(Rejected) as refused:
        codec().encode("DESADV", {}, Numbers(number, 1, AT))
    assert refused.value.code == "interchange_control_invalid"


def test_the_readme_documents_every_code() -> None:
    text = (Path(__file__).parents[4] / "connectors/edifact/README.md").read_text("utf-8")
    words = SEGMENT_CODES | ELEMENT_CODES | MESSAGE_CODES | GROUP_CODES | INTERCHANGE_CODES
    assert [word for word in [*words, *APPLICATION_CODES] if f"`{word}`" not in text] == []
    assert {word for word in words if f"`{word}` (t)" in text} == TOLERABLE
