"""Dates are read by picture, or refused; they never vanish."""

from __future__ import annotations

import pytest

from hub.mapping.dates import parse_date
from hub.mapping.refused import Refused


@pytest.mark.parametrize(
    ("text", "picture", "day"),
    [
        ("20260302", "CCYYMMDD", "2026-03-02"),
        ("260302", "YYMMDD", "2026-03-02"),
        ("491231", "YYMMDD", "2049-12-31"),
        ("500101", "YYMMDD", "1950-01-01"),
        ("2026-03-02", "YYYY-MM-DD", "2026-03-02"),
        ("03/02/2026", "MM/DD/YYYY", "2026-03-02"),
        ("2026-03-02T23:30:00-05:00", "RFC3339", "2026-03-02"),
        ("2026-03-02T23:59:60Z", "RFC3339", "2026-03-02"),
        ("2028-02-29", "YYYY-MM-DD", "2028-02-29"),
    ],
)
def test_a_date_is_read(text: str, picture: str, day: str) -> None:
    assert parse_date(text, picture) == day


@pytest.mark.parametrize(
    ("text", "picture"),
    [
        ("20260230", "CCYYMMDD"),
        ("2026-02-29", "YYYY-MM-DD"),
        ("00010101", "CCYYMMDD"),
        ("99991231", "CCYYMMDD"),
        ("2026032", "CCYYMMDD"),
        (" 20260302", "CCYYMMDD"),
        ("٢٠٢٦٠٣٠٢", "CCYYMMDD"),
        ("02/31/2026", "MM/DD/YYYY"),
        ("2026-03-02T10:00:00", "RFC3339"),
        ("2026-03-02T25:00:00Z", "RFC3339"),
        ("", "CCYYMMDD"),
        (20260302, "CCYYMMDD"),
    ],
)
def test_what_is_no_date_is_refused(text: object, picture: str) -> None:
    with pytest.raises(Refused) as refused:
        parse_date(text, picture)
    assert refused.value.code == "date_invalid"
    assert refused.value.value == text


def test_an_unknown_picture_is_refused_even_for_an_absent_date() -> None:
    with pytest.raises(Refused) as refused:
        parse_date(None, "DDMMYYYY")
    assert refused.value.code == "mapping_failed"


def test_an_absent_date_stays_absent() -> None:
    assert parse_date(None, "CCYYMMDD") is None
