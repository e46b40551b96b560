"""GS1 check digits, against keys that GS1 itself prints as examples."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canonical.gs1 import check_digit, has_check_digit, is_gln, is_gtin, is_sscc

GOOD = {
    "gtin-8": "95050003",
    "gtin-12": "614141000036",
    "gtin-13": "9506000134352",
    "gtin-14": "10614141000415",
}


@pytest.mark.parametrize("code", GOOD.values(), ids=GOOD)
def test_a_gtin_of_each_length_is_known(code: str) -> None:
    assert is_gtin(code)


def test_an_sscc_is_known() -> None:
    assert is_sscc("106141412345678908")


def test_a_gln_is_known() -> None:
    assert is_gln("0614141000012")


@pytest.mark.parametrize(
    "code",
    [
        "", "3", "614141000037", "61414100003", "6141410000365", "61414100003X", " 614141000036",
        "614141000036 ", "-14141000036", "6141410000٣6", "²14141000036", "00106141412345678908",
    ],
)  # fmt: skip
def test_what_is_no_gtin_is_not_taken_for_one(code: str) -> None:
    assert not is_gtin(code)


def test_a_gtin_13_is_no_sscc_and_an_sscc_no_gln() -> None:
    assert not is_sscc("9506000134352")
    assert not is_gln("106141412345678908")
    assert not is_gtin("106141412345678908")


@pytest.mark.parametrize("digits", ["", "12a", "١٢٣", "1 2"])
def test_a_check_digit_is_made_of_ascii_digits_only(digits: str) -> None:
    with pytest.raises(ValueError, match="ASCII digits"):
        check_digit(digits)


digits = st.text("0123456789", min_size=1, max_size=17)


@given(digits)
def test_appending_the_check_digit_makes_a_key_that_holds(text: str) -> None:
    assert has_check_digit(text + check_digit(text))


@given(digits)
def test_leading_zeros_do_not_change_the_check_digit(text: str) -> None:
    assert check_digit("00" + text) == check_digit(text)


@given(digits, st.data())
def test_any_one_wrong_digit_is_found(text: str, data: st.DataObject) -> None:
    key = text + check_digit(text)
    at = data.draw(st.integers(0, len(key) - 1))
    other = data.draw(st.sampled_from([d for d in "0123456789" if d != key[at]]))
    assert not has_check_digit(key[:at] + other + key[at + 1 :])
