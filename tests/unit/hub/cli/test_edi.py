"""`crossdock edi parse|validate|ack|render|diff`: what a file holds, what is wrong, what changed."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from hub.cli.edi import app
from hub.edi.files import errors_of
from tests.support import edifact_text
from tests.support.x12_text import ORDER, as_bytes, changed, group, interchange, isa, orders

SYNTAX = changed(orders(), "SE*17*", "SE*3*")
GUIDE = changed(orders(), "BEG*00", "BEG*99")
APPLICATION = changed(orders(), "CTT*3", "CTT*4")

SITE = """
control_points: {reference: acme-edi}
partners:
  acme: {name: Acme, customer_number: C1}
  euro: {name: Euro}
connections:
  acme-edi:
    system: x12
    partner: acme
    transport: {kind: folder, inbox: in, outbox: out}
    options:
      our_id: CROSSDOCK
      partner_id: ACMEDIST
      guides:
        "850":
          rules:
            - { at: PO1_loop.PO1.PO103, codes: [EA, CA] }
  euro-edi:
    system: edifact
    partner: euro
    transport: {kind: folder, inbox: in2, outbox: out2}
    options:
      our_id: "5412345000013"
      partner_id: "4012345500004"
      strictness: tolerant
"""


def call(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(each) for each in arguments])


def kept(tmp_path: Path, data: bytes | list[str], name: str = "a.edi") -> Path:
    file = tmp_path / name
    file.write_bytes(data if isinstance(data, bytes) else as_bytes(data))
    return file


def parsed(tmp_path: Path, data: bytes | list[str], *options: object) -> tuple[int, Any]:
    result = call("parse", kept(tmp_path, data), "--output", "json", *options)
    return result.exit_code, json.loads(result.stdout)


def validated(file: Path, *options: object) -> tuple[int, Any]:
    result = call("validate", file, "--output", "json", *options)
    return result.exit_code, json.loads(result.stdout)


def site(tmp_path: Path) -> Path:
    path = tmp_path / "crossdock.yaml"
    path.write_text(SITE, "utf-8")
    return path


def test_a_good_file_ends_with_0(tmp_path: Path) -> None:
    code, found = parsed(tmp_path, orders())
    assert (code, found["ok"], found["verdict"], found["errors"]) == (0, True, "accepted", [])
    (whole,) = found["interchanges"]
    assert (whole["control_number"], whole["groups"]) == ("000000905", 1)
    (each,) = whole["sets"]
    assert (each["type"], each["control_number"], each["segments"]) == ("850", "0001", 17)
    assert (each["verdict"], each["errors"]) == ("accepted", [])


@pytest.mark.parametrize(
    ("segments", "level", "code", "where", "segment"),
    [
        (SYNTAX, "syntax", "set_count_mismatch", "SE01", None),
        (GUIDE, "guide", "code_invalid", "BEG[1].BEG01", 2),
        (APPLICATION, "application", "line_count_wrong", "CTT[1].CTT01", 15),
    ],
)
def test_each_level_names_its_errors_with_their_place(  # noqa: PLR0913, PLR0917  # a table
    tmp_path: Path, segments: list[str], level: str, code: str, where: str, segment: int | None
) -> None:
    data = as_bytes(segments)
    status, found = parsed(tmp_path, data)
    (error,) = found["interchanges"][0]["sets"][0]["errors"]
    assert status == 1
    assert (error["level"], error["code"], error["where"]) == (level, code, where)
    assert error.get("segment") == segment
    if segment:
        assert data[error["byte"] :].startswith(where[:3].encode())


@pytest.mark.parametrize(
    ("segments", "message"),
    [
        (SYNTAX, '850 ST 0001, SE01: "3": SE01 is not the number of segments; expected 17'),
        (
            GUIDE,
            "850 ST 0001, BEG[1] BEG01 (Transaction Set Purpose Code, 353) at segment 2: "
            '"99" is not in the guide (00, 01, 02, 03, 04, 05, 06, 07, ...)',
        ),
        (
            changed(orders(), "PO1*3*2*EA", "PO1*3*2*EEA"),
            "850 ST 0001, PO1[3] PO103 (Unit or Basis for Measurement Code, 355) at segment 13: "
            '"EEA" has 3 characters, expected 2, such as EA, PC, UN, PR, DZ, DP, GS, GG, ...',
        ),
        (
            changed(orders(), "CUR*BY*USD", "CUR*BY*US"),
            "850 ST 0001, CUR[1] CUR02 (Currency Code, 100) at segment 3: "
            '"US" has 2 characters, expected 3',
        ),
        (
            changed(orders(), "CTT*3", "CTT*4"),
            "850 ST 0001, CTT[1] CTT01 (Number of Line Items, 354) at segment 15: "
            '"4": not the number of lines; expected 3',
        ),
        (
            changed(orders(), "DTM*002*20261201", "DTM*002*2026\x071201"),
            "850 ST 0001, DTM[1] DTM02 (Date, 373) at segment 5: "
            '"2026\\x071201": holds a character that is not allowed here; expected CCYYMMDD',
        ),
    ],
)
def test_an_error_is_a_sentence_with_place_name_value_and_what_is_expected(
    tmp_path: Path, segments: list[str], message: str
) -> None:
    _, found = validated(kept(tmp_path, segments))
    (error,) = found["interchanges"][0]["sets"][0]["errors"]
    assert error["message"] == message
    assert message in call("validate", kept(tmp_path, segments)).stdout


EDIFACT = edifact_text.orders()


@pytest.mark.parametrize(
    ("data", "where", "value", "expected"),
    [
        (changed(orders(), "IEA*1*000000905", "IEA*1*000000906"), "IEA02", "000000906", "000000905"),
        (changed(orders(), "IEA*1*", "IEA*2*"), "IEA01", "2", "1"),
        (changed(orders(), "GE*1*1", "GE*1*2"), "GE02", "2", "1"),
        (changed(orders(), "GE*1*", "GE*3*"), "GE01", "3", "1"),
        (changed(orders(), "SE*17*0001", "SE*17*0002"), "SE02", "0002", "0001"),
        (changed(orders(), "*ACMEDIST       *", "*ACMEDIST*"), "ISA06", "ACMEDIST", "15 characters"),
        (EDIFACT.replace("UNZ+1+905'", "UNZ+1+906'"), "UNZ02", "906", "905"),
        (EDIFACT.replace("UNZ+1+905'", "UNZ+7+905'"), "UNZ01", "7", "1"),
        (EDIFACT.replace("+1'UNZ", "+2'UNZ"), "UNT02", "2", "1"),
        (changed(orders(), "DTM*002*20261201", "DTM*002*20261301"), "DTM[1].DTM02", "20261301", "CCYYMMDD"),
        (changed(orders(), "BEG*00*SA*", "BEG*00**"), "BEG[1].BEG02", None, "2 characters"),
        (changed(orders(), "CTT*3", "CTT*3*9*8*7*6*5*4*3*2"), "CTT[1].CTT08", "3", "at most 7 elements"),
        (EDIFACT.replace("QTY+21:3:PCE", "QTY+21:3x:PCE"), "QTY[1].QTY0102", "3x", "n..15"),
        (EDIFACT.replace("QTY+21:3:PCE", "QTY+21::PCE"), "QTY[1].QTY0102", None, "n..15"),
        (EDIFACT.replace("QTY+21:3:PCE", "QTY+21:3:PCE:4"), "QTY[1].QTY0104", "4", "at most 3 components"),
        (EDIFACT.replace("CNT+2:", "CNT+2:1"), "CNT[1].CNT0102", "12", "2"),
        (changed(orders(), "CUR*BY*USD", "CUR*BY*USD\x00CUR*BY*USD"), "CUR[2]", None, "at most 1"),
        (EDIFACT.replace("UNS+S'", "UNS+S'UNS+S'"), "UNS[2]", None, "at most 1"),
        (EDIFACT.replace("CUX+2:EUR:9'", "CUX+2:EUR:9'" * 6), "CUX[6]", None, "at most 5"),
    ],
    ids=lambda each: each if isinstance(each, str) and len(each) < 20 else "",
)  # fmt: skip
def test_an_error_says_what_was_expected(
    tmp_path: Path, data: list[str] | str, where: str, value: str | None, expected: str
) -> None:
    file = kept(tmp_path, data.encode() if isinstance(data, str) else data)
    _, found = validated(file)
    errors = [error for error in errors_of(found) if error["where"] == where]
    assert [error.get("value") for error in errors] == [value]
    assert errors[0]["expected"].startswith(expected)
    assert errors[0]["expected"] in errors[0]["message"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("BIN*5*ab~cd", []),
        ("BIN*005*ab~cd", []),
        ("BIN*11a*abcde", ["5"]),
        ("BIN*7*abcde", ["5"]),
        ("BDS*ASC*9*abcde", ["5"]),
        ("BIN*0*", []),
    ],
)
def test_binary_data_are_as_long_as_they_say_in_any_set(
    tmp_path: Path, content: str, expected: list[str]
) -> None:
    _, found = parsed(tmp_path, interchange(group("PI", [("275", content)], version="005010")))
    errors = [error for error in errors_of(found) if error["code"] == "binary_length_wrong"]
    assert [error["expected"] for error in errors] == expected
    assert found["verdict"] == ("rejected" if expected else "unchecked")


def test_a_set_that_was_not_agreed_with_the_partner_is_named(tmp_path: Path) -> None:
    config = tmp_path / "site.yaml"
    config.write_text(SITE.replace("partner_id: ACMEDIST", "partner_id: ACMEDIST\n      sets: ['860']"))  # fmt: skip
    _, found = validated(kept(tmp_path, orders()), "--partner", "acme", "--config", config)
    (each,) = found["interchanges"][0]["sets"]
    (error,) = [error for error in each["errors"] if error["code"] == "set_unsupported"]
    assert (each["verdict"], error["value"], error["expected"]) == ("rejected", "850", "860")


@pytest.mark.parametrize("option", ["partner_id", "our_id", "usage"])
def test_an_interchange_of_another_connection_says_whose_was_expected(
    tmp_path: Path, option: str
) -> None:
    own = {"partner_id": ("ACMEDIST", "ZZ:OTHER"), "our_id": ("CROSSDOCK", "ZZ:NOBODY"), "usage": ("", "T")}  # fmt: skip
    before, expected = own[option]
    text = SITE.replace(before, expected[3:]) if before else SITE.replace("our_id: C", "usage: T\n      our_id: C")  # fmt: skip
    config = tmp_path / "site.yaml"
    config.write_text(text)
    _, found = validated(kept(tmp_path, orders()), "--partner", "acme", "--config", config)
    assert [error["expected"] for error in found["errors"]] == [expected]


@pytest.mark.parametrize("chosen", [("--partner", "euro"), ("--connection", "euro-edi")])
def test_a_file_of_a_format_that_the_partner_does_not_speak_is_not_from_it(
    tmp_path: Path, chosen: tuple[str, str]
) -> None:
    file, options = kept(tmp_path, orders()), (*chosen, "--config", site(tmp_path))
    status, found = validated(file, *options)
    (error,) = found["errors"]
    assert (status, found["verdict"]) == (1, "rejected")
    assert (error["level"], error["code"]) == ("partner", "format_not_agreed")
    assert error["message"].endswith("x12, and the connections that were named take edifact")
    refused = call("ack", file, *options)
    assert (refused.exit_code, refused.stdout) == (4, "")
    assert "format_not_agreed" in refused.stderr


def test_the_errors_of_all_levels_are_told_at_once(tmp_path: Path) -> None:
    wrong = changed(changed(orders(), "BEG*00", "BEG*99"), "PO1*1*3*EA", "PO1*1*3*DZ")
    wrong = changed(changed(wrong, "CTT*3", "CTT*4"), "SE*17*", "SE*18*")
    _, found = validated(kept(tmp_path, wrong), "--partner", "acme", "--config", site(tmp_path))
    (each,) = found["interchanges"][0]["sets"]
    assert [error["level"] for error in each["errors"]] == [
        "syntax", "guide", "partner", "application",
    ]  # fmt: skip


def test_an_edifact_error_is_a_sentence_too(tmp_path: Path) -> None:
    text = edifact_text.orders().replace("QTY+21:3:PCE", "QTY+21:3x:PCE")
    _, found = validated(kept(tmp_path, text.encode()))
    (error,) = found["interchanges"][0]["sets"][0]["errors"]
    assert error["message"] == (
        'ORDERS UNH 1, QTY[1] QTY0102 (Quantity, 6060) at segment 14: "3x": not a number; expected n..15'
    )


def test_values_can_be_left_out(tmp_path: Path) -> None:
    file = kept(tmp_path, changed(orders(), "PO1*3*2*EA", "PO1*3*2*SECRET"))
    assert "SECRET" in call("validate", file).stdout
    for output in ("table", "json"):
        shown = call("validate", file, "--hide-values", "--output", output).stdout
        assert "SECRET" not in shown
        assert "PO103" in shown


def test_without_values_two_errors_of_two_sets_are_still_told_apart(tmp_path: Path) -> None:
    wrong = ORDER.replace("DTM*002*20261201", "DTM*002*20261399")
    shown = call("validate", kept(tmp_path, orders(wrong, wrong)), "--hide-values").stdout
    assert [line.strip() for line in shown.splitlines()[1:]] == [
        f"850 ST {number}, DTM[1] DTM02 (Date, 373) at segment 5: not a date; expected CCYYMMDD [date_invalid]"
        for number in ("0001", "0002")
    ]  # fmt: skip


def test_one_bad_set_of_three_is_the_only_one_that_is_rejected(tmp_path: Path) -> None:
    bad = ORDER.replace("BEG*00", "BEG*99")
    _, found = parsed(tmp_path, orders(ORDER, bad, ORDER))
    verdicts = [each["verdict"] for each in found["interchanges"][0]["sets"]]
    assert verdicts == ["accepted", "rejected", "accepted"]
    assert found["verdict"] == "partly_accepted"


def test_a_wrong_count_is_tolerated_where_that_is_asked_for(tmp_path: Path) -> None:
    _, strict = parsed(tmp_path, SYNTAX)
    _, tolerant = parsed(tmp_path, SYNTAX, "--tolerant")
    assert (strict["verdict"], tolerant["verdict"]) == ("rejected", "accepted_with_errors")
    assert not tolerant["ok"]


def test_what_is_wrong_with_an_interchange_rejects_all_that_is_in_it(tmp_path: Path) -> None:
    wrong = changed(orders(), "IEA*1*000000905", "IEA*1*000000906")
    _, found = parsed(tmp_path, wrong)
    assert [error["code"] for error in found["errors"]] == ["interchange_control_mismatch"]
    assert found["interchanges"][0]["sets"][0]["verdict"] == "rejected"


@pytest.mark.parametrize(
    ("data", "code"),
    [(b"EDI 850;", "format_unknown"), (b"", "format_unknown"), (b"ISA*00*", "isa_unreadable")],
)
def test_what_is_no_edi_is_said_to_be_none(tmp_path: Path, data: bytes, code: str) -> None:
    status, found = parsed(tmp_path, data)
    assert (status, found["ok"], found["interchanges"]) == (1, False, [])
    assert [error["code"] for error in found["errors"]] == [code]


def test_what_is_cut_short_is_named_at_its_interchange(tmp_path: Path) -> None:
    _, found = parsed(tmp_path, as_bytes(orders())[:-30])
    codes = [error["code"] for error in found["errors"]]
    assert codes == ["group_trailer_missing", "interchange_truncated"]
    assert {error["interchange"] for error in found["errors"]} == {"000000905"}


def test_what_no_guide_knows_is_unchecked_when_parsed_and_no_good_when_validated(
    tmp_path: Path,
) -> None:
    strange = as_bytes(interchange(group("PO", [("850", ORDER)], version="003040")))
    status, found = parsed(tmp_path, strange)
    assert (status, found["verdict"]) == (0, "unchecked")
    status, found = validated(tmp_path / "a.edi")
    assert status == 1
    (error,) = found["interchanges"][0]["sets"][0]["errors"]
    assert error["code"] == "set_unsupported"
    assert error["message"] == "850 ST 0001: no guide for this document in version 003040"


def test_the_document_is_shown_in_its_own_words_and_levels_as_a_tree(tmp_path: Path) -> None:
    advice = "BSN*00*SH-1*20261124*1200\nHL*1**S\nHL*2*1*O\nPRF*PO-1\nCTT*2"
    _, found = parsed(tmp_path, interchange(group("SH", [("856", advice)])))
    body = found["interchanges"][0]["sets"][0]["body"]
    assert body["detail"]["HL_loop"][0]["HL_loop"][0]["PRF"] == {"PRF01": "PO-1"}
    shown = call("parse", tmp_path / "a.edi").stdout
    assert "          HL_loop\n" in shown
    assert "PRF: PRF01 PO-1" in shown


def test_a_ta1_alone_is_shown(tmp_path: Path) -> None:
    data = as_bytes([isa(), "TA1*000000012*261120*0830*A*000", "IEA*0*000000905"])
    status, found = parsed(tmp_path, data)
    assert status == 0
    assert found["interchanges"][0]["acknowledges"][0]["TA101"] == "000000012"
    assert "acknowledges TA101=000000012" in call("parse", tmp_path / "a.edi").stdout


@pytest.mark.parametrize(
    ("unit", "code", "words"),
    [("EACH", "5", "has 4 characters, expected 2"), ("E", "4", "has 1 character, expected 2")],
)
def test_a_wrong_length_is_told_once_as_the_997_tells_it(
    tmp_path: Path, unit: str, code: str, words: str
) -> None:
    file = kept(tmp_path, changed(orders(), "PO1*3*2*EA", f"PO1*3*2*{unit}"))
    _, found = validated(file)
    (error,) = found["interchanges"][0]["sets"][0]["errors"]
    assert words in error["message"]
    wire = call("ack", file).stdout
    assert re.findall(r"AK4\*3\*355\*(\d+)", wire) == [code]


def test_a_folder_gives_one_json_line_a_file_in_the_order_of_names(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    kept(tmp_path / "in", orders(), "b.edi")
    kept(tmp_path / "in", edifact_text.orders().encode(), "c.edi")
    kept(tmp_path / "in", b"no edi", "a.txt")
    kept(tmp_path / "in", orders(), ".hidden")
    result = call("parse", tmp_path / "in")
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [Path(line["file"]).name for line in lines] == ["a.txt", "b.edi", "c.edi"]
    assert [line["ok"] for line in lines] == [False, True, True]
    assert all("body" not in each for line in lines[1:] for each in line["interchanges"][0]["sets"])
    assert result.exit_code == 5
    with_bodies = call("parse", tmp_path / "in", "--bodies").stdout.splitlines()
    assert "heading" in json.loads(with_bodies[1])["interchanges"][0]["sets"][0]["body"]


def test_an_empty_folder_matches_nothing(tmp_path: Path) -> None:
    assert call("parse", tmp_path).exit_code == 3
    assert call("validate", tmp_path).exit_code == 3


def test_a_file_that_is_not_there_is_a_mistake_in_the_call(tmp_path: Path) -> None:
    assert call("parse", tmp_path / "nothing").exit_code == 2


def test_a_partner_is_held_to_its_own_guide(tmp_path: Path) -> None:
    config = site(tmp_path)
    file = kept(tmp_path, changed(orders(), "PO1*1*3*EA", "PO1*1*3*DZ"))
    assert call("validate", file).exit_code == 0
    status, found = validated(file, "--partner", "acme", "--config", config)
    (error,) = found["interchanges"][0]["sets"][0]["errors"]
    assert (status, error["level"], error["code"]) == (1, "partner", "partner_code_unused")
    assert error["message"] == (
        "850 ST 0001, PO1[1] PO103 (Unit or Basis for Measurement Code, 355) at segment 10: "
        '"DZ" is not in the guide (CA, EA)'
    )


def test_a_file_of_somebody_else_is_none_of_this_partner(tmp_path: Path) -> None:
    file = kept(tmp_path, changed(orders(), "ZZ*ACMEDIST ", "ZZ*STRANGER "))
    _, found = validated(file, "--partner", "acme", "--config", site(tmp_path))
    assert [error["code"] for error in found["errors"]] == ["partner_unknown"]
    assert found["verdict"] == "rejected"


def test_the_strictness_of_a_partner_counts(tmp_path: Path) -> None:
    text = edifact_text.orders().replace("UNT+22+1", "UNT+9+1")
    file = kept(tmp_path, text.encode())
    assert validated(file)[1]["verdict"] == "rejected"
    _, found = validated(file, "--partner", "euro", "--config", site(tmp_path))
    assert found["verdict"] == "accepted_with_errors"


@pytest.mark.parametrize("option", ["--partner", "--connection"])
def test_a_partner_that_the_site_does_not_have_matches_nothing(tmp_path: Path, option: str) -> None:
    result = call("validate", kept(tmp_path, orders()), option, "nobody", "-c", site(tmp_path))
    assert result.exit_code == 3


def test_a_997_says_what_the_hub_would_say(tmp_path: Path) -> None:
    bad = ORDER.replace("BEG*00", "BEG*99")
    file = kept(tmp_path, orders(ORDER, bad))
    result = call("ack", file)
    assert result.exit_code == 0
    assert "AK2*850*0002~" in result.stdout
    assert "AK9*P*2*2*1~" in result.stdout
    assert "IK5*R" in call("ack", file, "--with", "999").stdout
    (answer,) = json.loads(call("ack", file, "--output", "json").stdout)
    assert (answer["answer"], answer["to"]) == ("997", "000000905")


def test_a_contrl_is_shown_and_every_interchange_is_answered(tmp_path: Path) -> None:
    two = edifact_text.orders() + edifact_text.orders().replace("905", "906")
    result = call("ack", kept(tmp_path, two.encode()))
    assert result.stdout.count("UCI+") == 2
    assert "UCI+906+" in result.stdout


def test_what_is_refused_as_a_whole_is_answered_by_a_ta1(tmp_path: Path) -> None:
    wrong = changed(orders(), "IEA*1*000000905", "IEA*1*000000906")
    assert "TA1*000000905*261120*0830*R*001~" in call("ack", kept(tmp_path, wrong)).stdout


def test_an_acknowledgment_is_never_acknowledged(tmp_path: Path) -> None:
    said = "AK1*PO*12\nAK2*850*0001\nAK5*A\nAK9*A*1*1*1"
    result = call("ack", kept(tmp_path, interchange(group("FA", [("997", said)]))))
    assert result.exit_code == 3


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"UNA:+.++'UNB+UNOC:3+A+B+260101:0900+1'UNZ+0+1'", "delimiter_ambiguous"),
        (b"UNH+1+ORDERS:D:96A:UN'UNT+2+1'", "sender_unreadable"),
    ],
)
def test_nobody_is_answered_who_cannot_be_told_from_the_file(
    tmp_path: Path, data: bytes, code: str
) -> None:
    result = call("ack", kept(tmp_path, data))
    assert (result.exit_code, result.stdout) == (3, "")
    assert code in result.stderr


def test_a_stranger_gets_no_answer_from_a_partners_connection(tmp_path: Path) -> None:
    file = kept(tmp_path, changed(orders(), "ZZ*ACMEDIST ", "ZZ*STRANGER "))
    assert call("ack", file).exit_code == 0
    assert "997" not in call("ack", file, "--partner", "acme", "-c", site(tmp_path)).stdout


def test_an_order_reads_like_paper(tmp_path: Path) -> None:
    shown = call("render", kept(tmp_path, orders())).stdout
    assert shown.startswith("Purchase Order PO-4711\n")
    assert any(
        line.split() == ["Delivery", "requested", "date:", "2026-12-01"]
        for line in shown.splitlines()
    )
    assert "Ship to\n  Name:" in shown
    line = next(line for line in shown.splitlines() if line.startswith("1 "))
    assert line.split() == [
        "1", "1896-S", "(Seller's", "item", "number),", "A-10", "(Buyer's", "number)",
        "ATHENS", "DESK", "3", "EA", "649.40",
    ]  # fmt: skip
    assert "Total transaction amount: 3270.40" in shown
    assert "PO1" not in shown


def test_a_second_quantity_of_a_line_keeps_its_name(tmp_path: Path) -> None:
    text = edifact_text.ORDER.replace("QTY+21:3:PCE'", "QTY+21:3:PCE'QTY+192:1:PCE'")
    shown = call("render", kept(tmp_path, edifact_text.orders(text).encode())).stdout
    assert re.search(r"^1 .* DESK +3 PCE +649.40$", shown, re.M)
    assert re.search(r"^ +\S.*: +1 PCE$", shown, re.M)


def test_what_no_guide_knows_cannot_be_rendered(tmp_path: Path) -> None:
    strange = as_bytes(interchange(group("PO", [("850", ORDER)], version="003040")))
    assert call("render", kept(tmp_path, strange)).exit_code == 3


def test_a_diff_names_fields_and_lines_and_not_their_order(tmp_path: Path) -> None:
    lines = ORDER.replace("BEG*00*SA", "BEG*05*SA").replace("PO1*2*10*EA", "PO1*2*12*EA")
    lines = lines.replace("DTM*002*20261201", "DTM*002*20261208")
    lines = lines.replace("PO1*3*2*EA*35.60**VN*1928-S\nPID*F****AMSTERDAM LAMP\n", "")
    lines = lines.replace("CTT*3", "PO1*4*1*EA*9.00**VN*2000\nCTT*3")
    before, after = kept(tmp_path, orders()), kept(tmp_path, orders(lines), "b.edi")
    result = call("diff", before, after, "--output", "json")
    found = [
        (each["where"], each["what"], each["label"], each["before"], each["after"])
        for each in json.loads(result.stdout)
    ]
    assert result.exit_code == 1
    assert ("", "changed", "Delivery requested date", "2026-12-01", "2026-12-08") in found
    assert ("Line 2", "changed", "Quantity Ordered", "10 EA", "12 EA") in found
    assert ("", "removed", "Line 3", "2 EA, 35.60, 1928-S, AMSTERDAM LAMP", "") in found
    assert ("", "added", "Line 4", "", "1 EA, 9.00, 2000") in found
    assert "Line 2: Quantity Ordered: 10 EA -> 12 EA" in call("diff", before, after).stdout


def test_the_same_document_under_other_control_numbers_has_no_difference(tmp_path: Path) -> None:
    again = changed(orders(), "000000905", "000000999")
    result = call("diff", kept(tmp_path, orders()), kept(tmp_path, again, "b.edi"))
    assert (result.exit_code, result.stdout) == (0, "no difference\n")


def test_lines_in_another_order_are_the_same_lines(tmp_path: Path) -> None:
    text = edifact_text.ORDER
    first, second = text.index("LIN+1"), text.index("LIN+2")
    end = text.index("UNS+S")
    turned = text[:first] + text[second:end] + text[first:second] + text[end:]
    before = kept(tmp_path, edifact_text.orders().encode())
    after = kept(tmp_path, edifact_text.orders(turned).encode(), "b.edi")
    assert call("diff", before, after).exit_code == 0


def test_a_line_that_was_numbered_anew_is_known_by_its_items(tmp_path: Path) -> None:
    anew = ORDER.replace("PO1*3*2*EA", "PO1*30*2*EA")
    before, after = kept(tmp_path, orders()), kept(tmp_path, orders(anew), "b.edi")
    assert call("diff", before, after).stdout == "Line 3: Number: 3 -> 30\n"


def test_text_that_would_move_the_cursor_is_shown_as_what_it_is(tmp_path: Path) -> None:
    file = kept(tmp_path, changed(orders(), "ACME DISTRIBUTORS", "ACME\x1b[2J"))
    for command in ("parse", "validate", "render", "ack"):
        assert "\x1b" not in call(command, file).stdout
