"""Codes translate, default or are refused; they never pass through unknown."""

from __future__ import annotations

import pytest

from canonical.units import REC20_TO_X12, X12_TO_REC20
from hub.mapping.codes import code
from hub.mapping.countries import COUNTRIES
from hub.mapping.refused import Refused


@pytest.mark.parametrize(
    ("key", "alpha2"),
    [
        ("US", "US"),
        ("USA", "US"),
        ("usa", "US"),
        ("U.S.A.", "US"),
        ("United States of America", "US"),
        ("Germany", "DE"),
        ("Cote d'Ivoire", "CI"),
        ("CÔTE D\u2019IVOIRE", "CI"),
        ("Türkiye", "TR"),
        ("UK", "GB"),
    ],
)
def test_a_country_is_known_by_code_and_name(key: str, alpha2: str) -> None:
    assert code("country", key) == alpha2


def test_every_country_has_codes_of_its_own() -> None:
    assert len({alpha2 for alpha2, _, _ in COUNTRIES}) == len(COUNTRIES) == 249
    assert len({alpha3 for _, alpha3, _ in COUNTRIES}) == 249
    for alpha2, alpha3, name in COUNTRIES:
        assert code("country", alpha2) == code("country", alpha3) == code("country", name) == alpha2


def test_units_translate_both_ways() -> None:
    assert code("x12_355_to_rec20", "EA") == X12_TO_REC20["EA"]
    assert code("rec20_to_x12_355", "EA") == REC20_TO_X12["EA"]


def test_an_unknown_code_is_refused_by_the_name_of_its_list() -> None:
    with pytest.raises(Refused) as refused:
        code("x12_355_to_rec20", "ea")
    assert refused.value.code == "code_unknown"
    assert "x12_355_to_rec20" in refused.value.detail
    assert refused.value.value == "ea"


def test_an_unknown_code_takes_the_default() -> None:
    assert code("country", "Atlantis", "US") == "US"
    assert code("country", None, "US") == "US"
    assert code("country", "Atlantis", None) is None


def test_an_absent_code_without_default_stays_absent() -> None:
    assert code("country", None) is None


def test_a_number_is_no_code() -> None:
    with pytest.raises(Refused):
        code("country", 840)


def test_an_unknown_list_is_refused() -> None:
    with pytest.raises(Refused) as refused:
        code("planets", "earth")
    assert refused.value.code == "mapping_failed"
