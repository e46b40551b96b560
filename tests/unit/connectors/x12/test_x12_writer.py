"""What is written can be read back as it was, and what cannot be written is refused with its place."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from canonical.errors import Rejected
from connectors.base import Numbers, Receipt, SourceDocument
from connectors.x12.codec import X12Codec
from connectors.x12.config import X12Config
from connectors.x12.engine.checker import check
from connectors.x12.engine.delimiters import Delimiters
from connectors.x12.engine.envelope import TransactionSet, walk
from connectors.x12.engine.guide import load_guide
from connectors.x12.engine.levels import nested
from connectors.x12.engine.reader import read
from connectors.x12.engine.writer import Envelope, write

AT = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)
NUMBERS = Numbers(12, 34, AT)
SAMPLES = Path(__file__).parents[4] / "connectors/x12/samples"
WRITTEN = Path(__file__).parent / "written"
ORDER: dict[str, Any] = json.loads((WRITTEN / "940.json").read_text("utf-8"))


def codec(**options: Any) -> X12Codec:
    own = {"our_id": "CROSSDOCK", "partner_id": "LAKESIDE3PL", **options}
    return X12Codec(X12Config.model_validate(own))


def with_value(path: str, value: object) -> dict[str, Any]:
    """The sample order with one value replaced; None removes it."""
    body: Any = json.loads(json.dumps(ORDER))
    *parents, last = [int(key) if key.isdigit() else key for key in path.split("/")]
    node = body
    for key in parents:
        node = node[key]
    if value is None:
        del node[last]
    else:
        node[last] = value
    return dict(body)


def refused(body: dict[str, Any], **options: Any) -> tuple[str, str]:
    with pytest.raises(Rejected) as error:
        codec(**options).encode("940", body, NUMBERS)
    return error.value.code, error.value.where


def read_back(data: bytes, identifier: str) -> dict[str, Any]:
    """The body of the one set in an interchange."""
    guide = load_guide(identifier, "005010" if identifier == "999" else "004010")
    assert guide is not None
    (found,) = (event for event in walk(read((data,))) if isinstance(event, TransactionSet))
    checked = check(guide, found.segments, Delimiters())
    assert (found.faults, checked.faults) == ([], [])
    nested(checked.areas)
    return dict(checked.areas)


def test_the_sample_order_is_written_as_its_file() -> None:
    expected = (WRITTEN / "940.edi").read_bytes()
    numbers = Numbers(12, 12, AT)
    assert codec(line_breaks=True).encode("940", ORDER, numbers) == expected
    assert codec(line_breaks=True).encode("940", ORDER, numbers) == expected


def test_the_isa_has_106_characters_and_the_numbers_their_places() -> None:
    text = codec().encode("940", ORDER, NUMBERS).decode()
    isa, gs, st, *_, se, ge, iea, _end = text.split("~")
    assert len(isa) + 1 == 106
    assert isa == (
        "ISA*00*          *00*          *ZZ*CROSSDOCK      *ZZ*LAKESIDE3PL    "
        "*261120*0830*U*00401*000000012*0*P*>"
    )
    assert gs == "GS*OW*CROSSDOCK*LAKESIDE3PL*20261120*0830*34*X*004010"
    assert (st, se[-4:], ge, iea) == ("ST*940*0001", "0001", "GE*1*34", "IEA*1*000000012")


def test_the_moment_is_written_in_utc() -> None:
    local = AT.astimezone(timezone(timedelta(hours=-8)))
    assert codec().encode("940", ORDER, Numbers(12, 34, local)) == codec().encode(
        "940", ORDER, NUMBERS
    )


def test_options_decide_ids_usage_version_and_delimiters() -> None:
    text = codec(
        our_group_id="XD-APP", partner_group_id="LS-APP", partner_qualifier="01", usage="T",
        version="005010", element_separator="|", component_separator=":", segment_terminator="\n",
        repetition_separator="!",
    ).encode("940", ORDER, NUMBERS).decode()  # fmt: skip
    isa, gs, *_ = text.split("\n")
    assert isa.endswith("|261120|0830|!|00501|000000012|0|T|:")
    assert "|01|LAKESIDE3PL    |" in isa
    assert gs == "GS|OW|XD-APP|LS-APP|20261120|0830|34|X|005010"


def test_the_body_may_name_its_own_version_and_control_number() -> None:
    body = {**ORDER, "version": "005010", "control_number": "A0077"}
    text = codec().encode("940", body, NUMBERS).decode()
    assert "*X*005010~ST*940*A0077~" in text


REFUSED = [
    ("heading/W05/W0503", "PO*1", "value_holds_delimiter", "W0503"),
    ("heading/W05/W0503", "PO~1", "value_holds_delimiter", "W0503"),
    ("heading/N1_loop/0/N1/N102", "A>B", "value_holds_delimiter", "N102"),
    ("heading/W05/W0503", "X" * 23, "element_too_long", "W05[1].W0503"),
    ("heading/W05/W0503", "A\nB", "element_invalid_character", "W05[1].W0503"),
    ("heading/W05/W0502", None, "element_missing", "W05[1].W0502"),
    ("heading/W05", None, "segment_missing", "W05[1]"),
    ("detail", None, "segment_missing", "LX[1]"),
    ("heading/G62/0/G6202", "20261301", "date_invalid", "G62[1].G6202"),
    ("detail/LX_loop/1/W01_loop/0/W01/W0101", "1,5", "element_invalid_character", "W01[2].W0101"),
    ("detail/LX_loop/1/W01_loop/0/W01/W0105", None, "element_conditional_missing", "W01[2].W0105"),
    ("heading/W05/W0503", 4711, "value_invalid", "W0503"),
    ("heading/W05/W0503", ["x"], "value_invalid", "W0503"),
    ("heading/W05", "text", "value_invalid", "heading.W05"),
    ("heading", [], "value_invalid", "heading"),
    ("heading/W05/W0599", "1", "element_unknown", "W05.W0599"),
    ("heading/W05/secret value", "1", "element_unknown", "W05.?"),
    ("heading/W99", {}, "element_unknown", "heading.W99"),
    ("heading/W05/W0503", {"W050301": "1"}, "value_invalid", "W0503"),
    ("trailer", {}, "element_unknown", "?"),
    ("control_number", "1", "set_control_invalid", "ST02"),
    ("control_number", 7, "set_control_invalid", "ST02"),
    ("version", "003010", "version_unsupported", "version"),
    ("version", 4010, "version_unsupported", "version"),
    ("transaction_set", "850", "flow_unsupported", "transaction_set"),
]


@pytest.mark.parametrize(("path", "value", "code", "where"), REFUSED)
def test_what_does_not_fit_is_refused_with_its_place(
    path: str, value: object, code: str, where: str
) -> None:
    assert refused(with_value(path, value)) == (code, where)


def test_more_of_a_segment_than_the_guide_allows_is_refused() -> None:
    body = with_value("heading/N9", [{"N901": "DP", "N902": str(at)} for at in range(11)])
    assert refused(body) == ("segment_exceeds_maximum", "N9[11]")


def test_the_caret_is_data_before_00402_and_a_delimiter_after() -> None:
    body = with_value("heading/N1_loop/0/N1/N102", "A^B")
    assert b"N1*ST*A^B*" in codec().encode("940", body, NUMBERS)
    assert refused(body, version="005010") == ("value_holds_delimiter", "N102")


@pytest.mark.parametrize("number", [0, -1, 1_000_000_000])
def test_control_numbers_have_one_to_nine_digits(number: int) -> None:
    for numbers in (Numbers(number, 1, AT), Numbers(1, number, AT)):
        with pytest.raises(Rejected, match="interchange_control_invalid"):
            codec().encode("940", ORDER, numbers)


@pytest.mark.parametrize("flow", ["837", "", "../", "999"])
def test_other_flows_are_not_written(flow: str) -> None:
    with pytest.raises(Rejected, match="flow_unsupported"):
        codec().encode(flow, {}, NUMBERS)


def test_reading_what_was_written_gives_the_body_again() -> None:
    data = codec().encode("940", ORDER, NUMBERS)
    body = {key: ORDER[key] for key in ("heading", "detail", "summary")}
    assert read_back(data, "940") == body


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*/*.edi")), ids=lambda path: path.name)
def test_writing_what_was_read_and_reading_it_gives_the_same(path: Path) -> None:
    config = X12Config(our_id="CROSSDOCK", partner_id="ACMEDIST")
    receipt = Receipt("r1", "acme", "d1", AT, path.read_bytes())
    envelope = Envelope(
        ("ZZ", "A", "AA"), ("ZZ", "B", "BB"), "004010", "P", 1, 1, AT, config.delimiters("004010")
    )
    for document in X12Codec(config).decode(receipt).documents:
        if isinstance(document, SourceDocument) and document.flow != "TA1":
            guide = load_guide(document.flow, document.body["version"])
            assert guide is not None
            areas = {
                k: v for k, v in document.body.items() if k in ("heading", "detail", "summary")
            }
            assert read_back(write(guide, document.body, envelope), document.flow) == areas


words = st.text(
    st.characters(exclude_categories=["C", "Zl", "Zp"], exclude_characters="*>~\x7f"), min_size=1
)


@settings(max_examples=200, deadline=None)
@given(name=words.map(lambda text: text[:60]), note=words.map(lambda text: text[:80]))
def test_any_printable_text_comes_back_as_it_was(name: str, note: str) -> None:
    body = with_value("heading/N1_loop/0/N1/N102", name)
    body["heading"]["NTE"] = [{"NTE02": note}]
    areas = read_back(codec().encode("940", body, NUMBERS), "940")
    assert areas["heading"]["N1_loop"][0]["N1"]["N102"] == name
    assert areas["heading"]["NTE"] == [{"NTE02": note}]
