"""The options of a Shopify connection."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field, SecretStr

from connectors.base import ConnectorConfig


class ShopifyConfig(ConnectorConfig):
    """One store that calls us."""

    # A wrong option must not print the secret that stands beside it.
    model_config = ConfigDict(hide_input_in_errors=True)

    shop_domain: str = Field(
        pattern=r"^[a-z0-9][a-z0-9-]{0,62}\.myshopify\.com$",
        description="The store's permanent domain, as its calls name it: `<name>.myshopify.com`.",
    )
    webhook_secrets: tuple[Annotated[SecretStr, Field(min_length=16)], ...] = Field(
        min_length=1,
        max_length=4,
        description="The app's client secrets that are current; two while one is being replaced "
        "(Shopify goes on signing with the old one for up to an hour).",
    )
    api_version: str = Field(
        "2026-07",
        pattern=r"^20[0-9]{2}-(01|04|07|10)$",
        description="The API version that the webhook subscription names; mappings can read it.",
    )
