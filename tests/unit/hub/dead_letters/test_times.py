"""Moments as people write them."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.dead_letters.times import moment

NOW = datetime(2026, 5, 5, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("30m", NOW - timedelta(minutes=30)),
        ("2h", NOW - timedelta(hours=2)),
        ("3d", NOW - timedelta(days=3)),
        ("1w", NOW - timedelta(weeks=1)),
        ("0s", NOW),
        (" 2h ", NOW - timedelta(hours=2)),
        ("2026-05-04", datetime(2026, 5, 4, tzinfo=UTC)),
        ("2026-05-04T10:00", datetime(2026, 5, 4, 10, tzinfo=UTC)),
        ("2026-05-04T10:00:00Z", datetime(2026, 5, 4, 10, tzinfo=UTC)),
        ("2026-05-04T10:00:00+02:00", datetime(2026, 5, 4, 8, tzinfo=UTC)),
    ],
)
def test_a_moment_is_an_iso_time_or_how_long_ago(text: str, expected: datetime) -> None:
    assert moment(text, NOW) == expected


@pytest.mark.parametrize(
    "text",
    [
        "", "yesterday", "2", "h", "-2h", "2.5h", "2 h", "9999999d", "999999w", "٢h",
        "2026-13-01", "2026-05-04T25:00", "0001-01-01T00:00:00+05:00",
    ],
)  # fmt: skip
def test_anything_else_is_refused_with_what_is_expected(text: str) -> None:
    with pytest.raises(ValueError, match="expected 30m, 2h, 3d, or ISO 8601"):
        moment(text, NOW)


@given(st.text(max_size=30))
def test_no_text_breaks_it(text: str) -> None:
    with suppress(ValueError):
        assert moment(text, NOW).utcoffset() == timedelta(0)
