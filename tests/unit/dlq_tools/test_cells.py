"""Text of strangers on a terminal."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlq_tools.cells import printable, rows_of


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("PO-1 ä 漢", "PO-1 ä 漢"),
        ("\x1b[2J", "\\x1b[2J"),
        ("a\r\nb", "a\\r\\nb"),
        ("\u202eabc", "\\u202eabc"),
        ("\x9b31m", "\\x9b31m"),
        ("\ud800", "\\ud800"),
    ],
)
def test_what_a_terminal_would_act_on_is_written_out(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_line_ends_of_a_payload_may_stay() -> None:
    assert printable("ISA*00~\n\x1bGS", keep="\n") == "ISA*00~\n\\x1bGS"


@given(st.text())
def test_nothing_that_comes_out_is_a_control_character(text: str) -> None:
    assert all(each.isprintable() for each in printable(text))


def test_cells_are_text_whatever_the_value() -> None:
    row = {
        "at": datetime(2026, 5, 5, 10, tzinfo=UTC),
        "partners": ["acme", "north\x07side"],
        "money": {"USD": Decimal("120.000000"), "EUR": Decimal(7)},
        "nothing": None,
    }
    columns = ("at", "partners", "money", "nothing", "unknown")
    assert rows_of([row], columns) == [
        {
            "at": "2026-05-05 10:00:00",
            "partners": "acme, north\\x07side",
            "money": "120 USD, 7 EUR",
            "nothing": "",
            "unknown": "",
        }
    ]
