"""Options: refused early, with what was expected."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from tests.support.business_central import options

CREDENTIALS = {
    "token": "",
    "token_url": "https://login.example/token",
    "client_id": "me",
    "client_secret": "x",
}


@pytest.mark.parametrize(
    "given",
    [
        {},
        CREDENTIALS,
        {"base_url": "https://api.example/v2.0/"},
        {"base_url": "http://bc.internal/api/v2.0", "allow_http": True},
        {"base_url": "http://127.0.0.1:9000/api/v2.0"},
        {"invoices_since": "2026-01-01T00:00:00Z"},
    ],
)
def test_good_options_are_taken(given: dict[str, Any]) -> None:
    assert not options(**given).company_url.endswith("/")


@pytest.mark.parametrize(
    "given",
    [
        {"base_url": "http://bc.example/api/v2.0"},
        {"base_url": "ftp://bc.example"},
        {"base_url": "https://user:pass@bc.example"},
        {"base_url": "https://bc.example/?tenant=x"},
        {"base_url": "https://"},
        {"company_id": "contoso"},
        {"company_id": "11111111-2222-3333-4444-555555555555)/x("},
        {"token": ""},
        CREDENTIALS | {"token": "t"},
        CREDENTIALS | {"client_secret": ""},
        CREDENTIALS | {"token_url": "http://login.example/token"},
        {"client_id": "me"},
        {"deadline_seconds": 0},
        {"page_size": 20_001},
        {"full_scan": ["vendors"]},
        {"invoices_since": "2026-01-01T00:00:00"},
        {"posting_date": "today"},
        {"colour": "blue"},
    ],
)
def test_bad_options_are_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        options(**given)
