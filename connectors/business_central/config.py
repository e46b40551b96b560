"""The options of a Business Central connection, checked as far as they can be without calling it."""

from __future__ import annotations

from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, AwareDatetime, Field, SecretStr, model_validator

from connectors.base import ConnectorConfig

DEFAULT_SCOPE = "https://api.businesscentral.dynamics.com/.default"
MOST_ROWS = 20_000
"""Rows of one page; Business Central answers 413 above it."""

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_GUID = r"^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$"


def _url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("expected an http or https URL")
    if parts.username or parts.query or parts.fragment:
        raise ValueError("expected a URL without credentials, query and fragment")
    return value.rstrip("/")


Url = Annotated[str, AfterValidator(_url)]
Flow = Literal["customers", "items", "salesInvoices"]


class BusinessCentralConfig(ConnectorConfig):
    """Where the company is, how to prove who we are, and how patient to be; see the README."""

    base_url: Url
    company_id: Annotated[str, Field(pattern=_GUID)]
    allow_http: bool = False
    usage: Literal["P", "T"] = "P"

    token_url: Url | None = None
    client_id: str = ""
    client_secret: SecretStr = SecretStr("")
    scope: str = DEFAULT_SCOPE
    token: SecretStr = SecretStr("")

    deadline_seconds: Annotated[float, Field(gt=0)] = 30.0
    connect_seconds: Annotated[float, Field(gt=0)] = 5.0
    max_response_bytes: Annotated[int, Field(gt=0)] = 20_000_000
    operation_limit_seconds: Annotated[float, Field(ge=0)] = 480.0
    posting_date: Literal["shipped_on", "as_ordered"] = "shipped_on"

    page_size: Annotated[int, Field(ge=1, le=MOST_ROWS)] = 1000
    max_pages: Annotated[int, Field(ge=1)] = 1000
    overlap_seconds: Annotated[float, Field(ge=0)] = 60.0
    full_scan: tuple[Flow, ...] = ("items",)
    invoices_since: AwareDatetime | None = None

    @model_validator(mode="after")
    def _encrypted(self) -> Self:
        for url in (self.base_url, self.token_url):
            parts = urlsplit(url or "https://")
            if parts.scheme == "http" and not (self.allow_http or parts.hostname in _LOOPBACK):
                raise ValueError("expected https; http only to this machine or with allow_http")
        return self

    @model_validator(mode="after")
    def _one_way_to_prove_who_we_are(self) -> Self:
        parts = (self.token_url, self.client_id, self.client_secret.get_secret_value())
        has_token = bool(self.token.get_secret_value())
        if has_token == all(parts) or has_token == any(parts):
            raise ValueError("expected token, or all of token_url, client_id and client_secret")
        return self

    @property
    def is_test(self) -> bool:
        """Whether the company is there to be tried on: what test partners send may go there."""
        return self.usage == "T"

    @property
    def company_url(self) -> str:
        """The address below which everything of the company is."""
        return f"{self.base_url}/companies({self.company_id})"
