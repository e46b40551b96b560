"""What systems say is kept without what they say it about."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.wording import MASK, masked


@pytest.mark.parametrize(
    ("message", "kept"),
    [
        (
            "The field Customer No. of table Sales Header contains a value (10000) that cannot be"
            " found in the related table (Customer).",
            "The field Customer No. of table Sales Header contains a value (…) that cannot be"
            " found in the related table (Customer).",
        ),
        (
            "Posting Date is not within your range of allowed posting dates in Sales Header"
            " Document Type='Order',No.='101005'.",
            "Posting Date is not within your range of allowed posting dates in Sales Header"
            " Document Type='Order',No.='…'.",
        ),
        ("The customer doesn't exist.", "The customer doesn't exist."),
    ],
)
def test_a_systems_own_wording_stays(message: str, kept: str) -> None:
    assert masked(message) == kept


@pytest.mark.parametrize(
    "value",
    [
        "Jane Roe",
        "jane.roe@example.com",
        "+49 30 123456",
        "4111 1111 1111 1111",
        "eyJhbGciOi.J9.sIgNature",
        "secret=hunter2",
        "Müller",
        "東京",
        "SKU-1001",
        "1.234,50 €",
        "O'Neil",
    ],
)
@pytest.mark.parametrize("around", ["Customer {} is blocked", "('{}')", "No.={};", "“{}”", "{}"])
def test_a_value_goes_wherever_it_stands(around: str, value: str) -> None:
    said = masked(around.format(value))
    assert not set(re.findall(r"\w+", value)) & set(re.findall(r"\w+", said))
    assert MASK in said


@given(st.text())
def test_any_text_is_bounded_and_masking_it_again_changes_nothing(message: str) -> None:
    said = masked(message, 80)
    assert len(said) <= 80
    assert not any(each.isdigit() for each in said)
    assert masked(said, 80) == said
