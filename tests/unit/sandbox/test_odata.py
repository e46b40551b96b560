"""Filters as Business Central documents them."""

from __future__ import annotations

import pytest

from sandbox import schema
from sandbox.json_text import Row
from sandbox.odata import Filter, ODataError, parse_filter, read_skip_token, skip_token

ROW: Row = {
    "id": "11111111-1111-1111-1111-111111111111",
    "number": "S-ORD101001",
    "externalDocumentNumber": "XD'1",
    "status": "Draft",
    "orderDate": "2026-03-02",
    "totalAmountExcludingTax": 100,
    "fullyShipped": False,
    "lastModifiedDateTime": "2026-03-02T10:11:12.537Z",
}


def _parse(text: str) -> Filter:
    return parse_filter(text, schema.SALES_ORDER)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("externalDocumentNumber eq 'XD''1'", True),
        ("externalDocumentNumber eq 'XD1'", False),
        ("externalDocumentNumber ne 'XD1'", True),
        ("status eq 'Draft' and fullyShipped eq false", True),
        ("status eq 'Draft' and fullyShipped eq true", False),
        ("status eq 'Open' or status eq 'Draft'", True),
        ("(status eq 'Open' or status eq 'Draft') and number eq 'S-ORD101001'", True),
        ("number in ('S-ORD1', 'S-ORD101001')", True),
        ("number in ('S-ORD1')", False),
        ("totalAmountExcludingTax ge 100.00", True),
        ("totalAmountExcludingTax gt 100", False),
        ("orderDate lt 2026-03-03", True),
        ("orderDate le 2026-03-01", False),
        ("requestedDeliveryDate eq 0001-01-01", True),
        ("lastModifiedDateTime gt 2026-03-02T10:11:12.536Z", True),
        ("lastModifiedDateTime gt 2026-03-02T10:11:12.537Z", False),
        ("lastModifiedDateTime ge 2026-03-02T11:11:12.537000+01:00", True),
        ("id eq 11111111-1111-1111-1111-111111111111", True),
        ("startswith(number, 'S-ORD') and contains(number,'101')", True),
        ("endswith(number,'002')", False),
        ("", True),
    ],
)
def test_a_filter_selects_as_documented(text: str, expected: bool) -> None:  # noqa: FBT001
    assert _parse(text).matches(ROW) is expected


@pytest.mark.parametrize(
    "text",
    [
        "status",
        "status eq",
        "status eq Draft",
        "status like 'D'",
        "status eq 'Draft' status eq 'Open'",
        "(status eq 'Draft'",
        "status eq 'Draft",
        "totalAmountExcludingTax eq 'a'",
        "totalAmountExcludingTax eq x",
        "orderDate eq 2026-02-30",
        "lastModifiedDateTime gt 2026-03-02",
        "fullyShipped eq 1",
        "nothing eq 1",
        "contains(totalAmountExcludingTax, 1)",
        "contains(number)",
        "number in ()",
        "and",
    ],
)
def test_what_is_no_filter_is_refused_with_400(text: str) -> None:
    with pytest.raises(ODataError) as refusal:
        _parse(text)
    assert refusal.value.status == 400
    assert refusal.value.code.startswith("BadRequest")


def test_or_over_two_fields_is_refused() -> None:
    with pytest.raises(ODataError, match="distinct fields"):
        _parse("status eq 'Draft' or number eq '1'")


def test_terms_that_must_hold_are_offered_to_an_index() -> None:
    assert _parse("number eq '1' and status eq 'Draft'").equals == {
        "number": "1",
        "status": "Draft",
    }
    assert _parse("status eq 'Draft' or status eq 'Open'").equals == {}
    assert _parse("number ne '1'").equals == {}


def test_a_skip_token_keeps_where_a_page_ended() -> None:
    assert read_skip_token(skip_token(["a'&=b", 3, True])) == ["a'&=b", 3, True]


@pytest.mark.parametrize("token", ["!", "e30", "bm9uZQ", "W10x"])
def test_a_foreign_skip_token_is_refused(token: str) -> None:
    with pytest.raises(ODataError, match="skiptoken"):
        read_skip_token(token)
