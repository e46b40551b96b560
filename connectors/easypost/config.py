"""The options of an EasyPost connection."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field, SecretStr

from connectors.base import ConnectorConfig


class EasyPostConfig(ConnectorConfig):
    """One EasyPost account that calls us."""

    # A wrong option must not print the secret that stands beside it.
    model_config = ConfigDict(hide_input_in_errors=True)

    webhook_secrets: tuple[Annotated[SecretStr, Field(min_length=16)], ...] = Field(
        min_length=1,
        max_length=4,
        description="The `webhook_secret`s that are current; two while one is being replaced.",
    )
