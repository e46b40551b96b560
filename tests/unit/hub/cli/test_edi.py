"""`crossdock edi check` and `show`: what is wrong with a file, at which level and where."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from hub.cli.edi import app
from tests.support.x12_text import ORDER, as_bytes, changed, group, interchange, isa, orders


def call(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(each) for each in arguments])


def looked(tmp_path: Path, data: bytes, command: str = "check") -> tuple[int, Any]:
    file = tmp_path / "a.edi"
    file.write_bytes(data)
    options = ["--output", "json"] if command == "check" else []
    result = call(command, file, *options)
    return result.exit_code, json.loads(result.stdout)[0]


def test_a_good_file_ends_with_0(tmp_path: Path) -> None:
    code, found = looked(tmp_path, as_bytes(orders()))
    assert (code, found["ok"]) == (0, True)
    (each,) = found["interchanges"][0]["sets"]
    assert (each["type"], each["verdict"], each["segments"]) == ("850", "accepted", 17)


SYNTAX = changed(orders(), "SE*17*", "SE*3*")
GUIDE = changed(orders(), "BEG*00", "BEG*99")
APPLICATION = changed(orders(), "CTT*3", "CTT*4")


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
    status, found = looked(tmp_path, data)
    (error,) = found["interchanges"][0]["sets"][0]["errors"]
    assert status == 1
    assert (error["level"], error["code"], error["where"]) == (level, code, where)
    assert error.get("segment") == segment
    if segment:
        assert data[error["byte"] :].startswith(where[:3].encode())


def test_one_bad_set_of_three_is_the_only_one_that_is_rejected(tmp_path: Path) -> None:
    bad = ORDER.replace("BEG*00", "BEG*99")
    _, found = looked(tmp_path, as_bytes(orders(ORDER, bad, ORDER)))
    verdicts = [each["verdict"] for each in found["interchanges"][0]["sets"]]
    assert verdicts == ["accepted", "rejected", "accepted"]


@pytest.mark.parametrize(
    ("data", "code"),
    [(b"EDI 850;", "format_unknown"), (b"", "format_unknown"), (b"ISA*00*", "isa_unreadable")],
)
def test_what_is_no_edi_is_said_to_be_none(tmp_path: Path, data: bytes, code: str) -> None:
    status, found = looked(tmp_path, data)
    assert status == 1
    assert [error["code"] for error in found["errors"]] == [code]


def test_what_is_cut_short_or_unknown_is_named_at_its_interchange(tmp_path: Path) -> None:
    cut = as_bytes(orders())[:-30]
    _, found = looked(tmp_path, cut)
    codes = [error["code"] for error in found["interchanges"][0]["errors"]]
    assert codes == ["group_trailer_missing", "interchange_truncated"]
    strange = as_bytes(interchange(group("PO", [("850", ORDER)], version="003040")))
    _, found = looked(tmp_path, strange)
    assert found["interchanges"][0]["errors"][0]["code"] == "version_unsupported"


def test_show_gives_the_document_in_its_own_words_and_levels_as_a_tree(tmp_path: Path) -> None:
    advice = "BSN*00*SH-1*20261124*1200\nHL*1**S\nHL*2*1*O\nPRF*PO-1\nCTT*2"
    status, found = looked(tmp_path, as_bytes(interchange(group("SH", [("856", advice)]))), "show")
    body = found["interchanges"][0]["sets"][0]["body"]
    assert status == 0
    assert body["detail"]["HL_loop"][0]["HL_loop"][0]["PRF"] == {"PRF01": "PO-1"}


def test_a_ta1_alone_is_shown(tmp_path: Path) -> None:
    data = as_bytes([isa(), "TA1*000000012*261120*0830*A*000", "IEA*0*000000905"])
    status, found = looked(tmp_path, data)
    assert status == 0
    assert found["interchanges"][0]["acknowledges"][0]["TA101"] == "000000012"


def test_the_table_shows_verdicts_and_errors(tmp_path: Path) -> None:
    file = tmp_path / "a.edi"
    file.write_bytes(as_bytes(GUIDE))
    result = call("check", file)
    assert result.exit_code == 1
    assert "rejected" in result.stdout
    assert "BEG[1].BEG01" in result.stdout


def test_a_file_that_is_not_there_is_a_mistake_in_the_call(tmp_path: Path) -> None:
    assert call("check", tmp_path / "nothing").exit_code == 2
