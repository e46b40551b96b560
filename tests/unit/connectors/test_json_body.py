"""Strict JSON: what is refused, with which word, and where."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canonical.errors import Rejected
from connectors.json_body import MAX_DEPTH, read_json, read_object

BOM = b"\xef\xbb\xbf"


@pytest.mark.parametrize(
    ("body", "code", "where"),
    [
        (b"", "body_empty", "byte 0"),
        (b" \r\n\t", "body_empty", "byte 0"),
        (BOM, "body_empty", "byte 0"),
        (b"\xff{}", "body_not_utf8", "byte 0"),
        (b'{"a": "\xed\xa0\x80"}', "body_not_utf8", "byte 7"),
        (b"\xff\xfe{\x00}\x00", "body_not_utf8", "byte 0"),
        (b'{"a": 1', "json_syntax", "byte 7"),
        (b'{"a": 1} x', "json_syntax", "byte 9"),
        (b'{"a": 1}{"a": 2}', "json_syntax", "byte 8"),
        (b"[1,]", "json_syntax", "byte 3"),
        (b"[01]", "json_syntax", "byte 2"),
        (b"{'a': 1}", "json_syntax", "byte 1"),
        (b'["\x00"]', "json_syntax", "byte 2"),
        (b'{"qty": 1, "qty": 100}', "json_duplicate_key", "byte 11"),
        (b'[{"a": {}}, {"a": [{"b": 1, "\\u0062": 2}]}]', "json_duplicate_key", "byte 28"),
        (BOM + b'{"a": 1, "a": 2}', "json_duplicate_key", "byte 12"),
        ('{"é": 1, "é": 2}'.encode(), "json_duplicate_key", "byte 10"),
        (b"[NaN]", "json_not_a_number", "byte 1"),
        (b'{"a": -Infinity}', "json_not_a_number", "byte 6"),
        (b"[1, Infinity]", "json_not_a_number", "byte 4"),
        (b"[NaNcy]", "json_not_a_number", "byte 1"),
        (b"[1e400x", "json_number_too_large", "byte 1"),
        (b"[1e400]", "json_number_too_large", "byte 1"),
        (b"[-1E+999999999]", "json_number_too_large", "byte 1"),
        (b"[1e-400]", "json_number_too_large", "byte 1"),
        (b"[" + b"9" * 5000 + b"]", "json_number_too_large", "byte 1"),
        (b"[1." + b"0" * 100 + b"]", "json_number_too_large", "byte 1"),
        (b'["ok", "\\u0000"]', "json_null_character", "byte 8"),
        (b'{"\\u0000": 1}', "json_null_character", "byte 2"),
        (b'["\\\\ \\ud83d"]', "json_lone_surrogate", "byte 5"),
        (b'["\\udc00\\ud800"]', "json_lone_surrogate", "byte 2"),
        (b"[" * 100_000, "json_too_deep", "byte 64"),
        (b'{"a":' * 100_000, "json_too_deep", "byte 320"),
        (b"[" * 65 + b"]" * 65, "json_too_deep", "byte 64"),
        (b'["[[[", ' + b"[" * 64 + b"]" * 64 + b"]", "json_too_deep", "byte 71"),
    ],
)
def test_a_bad_body_is_refused_with_a_code_and_a_place(body: bytes, code: str, where: str) -> None:
    with pytest.raises(Rejected) as refused:
        read_json(body)
    assert (refused.value.code, refused.value.where) == (code, where)


@pytest.mark.parametrize("body", [b"[]", b"1", b'"x"', b"null", b"true"])
def test_a_body_that_must_be_an_object_may_not_be_anything_else(body: bytes) -> None:
    with pytest.raises(Rejected) as refused:
        read_object(body)
    assert refused.value.code == "json_not_an_object"


def test_numbers_keep_the_text_that_was_sent() -> None:
    body = b'{"a": 10.10, "b": 1.50e2, "c": 0.0, "d": -0.5, "e": 1E5}'
    assert read_object(body) == {"a": "10.10", "b": "1.50e2", "c": "0.0", "d": "-0.5", "e": "1E5"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("-0", 0),
        ("999999999999999", 999999999999999),
        ("-999999999999999", -999999999999999),
        ("1000000000000000", "1000000000000000"),
        ("-9007199254740993", "-9007199254740993"),
        ("18446744073709551616", "18446744073709551616"),
    ],
)
def test_an_integer_of_more_than_15_digits_stays_text(text: str, value: object) -> None:
    read = read_json(text.encode())
    assert read == value
    assert type(read) is type(value)


def test_a_byte_order_mark_is_accepted() -> None:
    assert read_object(BOM + b'{"a": 1}') == {"a": 1}


def test_what_only_looks_like_an_offence_is_accepted() -> None:
    body = rb'{"a": "\\u0000", "b": "\\\\ud800", "c": "\ud83d\ude00", "d": "NaN 1e400 [[[[{{{{"}'
    assert read_object(body) == {
        "a": r"\u0000",
        "b": r"\\ud800",
        "c": "\U0001f600",
        "d": "NaN 1e400 [[[[{{{{",
    }


def test_the_deepest_allowed_nesting_is_accepted() -> None:
    body = b'{"[": ' * (MAX_DEPTH - 1) + b"[1, 2]" + b"}" * (MAX_DEPTH - 1)
    assert read_json(body)


def test_many_shallow_brackets_are_not_deep() -> None:
    assert read_json(b"[" + b"[[],{}]," * 1000 + b"[]]")


def test_brackets_inside_strings_do_not_count_as_depth() -> None:
    assert read_json(json.dumps(["[" * 500, '"[\\"[' * 100]).encode())


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**15) + 1, 10**15 - 1) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=30,
)


@given(value=_VALUES, ascii_only=st.booleans())
def test_every_well_formed_body_reads_back(value: object, *, ascii_only: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only)
    if "\\u0000" in text.replace(r"\\", ""):
        with pytest.raises(Rejected, match="json_null_character"):
            read_json(text.encode())
    else:
        assert read_json(text.encode()) == value


@given(
    body=st.binary(max_size=200)
    | st.text('{}[]":,0e+-.\\u \n1NaIfity', max_size=200).map(str.encode)
)
def test_any_bytes_give_a_value_or_a_refusal_with_a_place(body: bytes) -> None:
    where = "byte 0"
    try:
        read_json(body)
    except Rejected as refused:
        where = refused.where
    word, position = where.split(" ")
    assert word == "byte"
    assert 0 <= int(position) <= len(body)
