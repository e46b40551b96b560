"""The page that documents every option is generated, and up to date."""

from __future__ import annotations

from hub.settings.reference import TARGET, render, undescribed


def test_the_page_is_up_to_date() -> None:
    assert TARGET.read_text(encoding="utf-8") == render(), "run: python -m hub.settings.reference"


def test_every_option_is_described() -> None:
    assert list(undescribed()) == []
