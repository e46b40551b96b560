"""The options of a connection are checked before anything is written with them."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from canonical.errors import ConfigError
from connectors.base import ConnectorConfig
from connectors.x12 import CONNECTOR
from connectors.x12.config import X12Config
from tests.support.reach import ANYWHERE

OWN = {"our_id": "CROSSDOCK", "partner_id": "ACMEDIST"}


def config(**options: Any) -> X12Config:
    return X12Config.model_validate({**OWN, **options})


def test_group_ids_are_the_interchange_ids_unless_given() -> None:
    assert config().us() == ("ZZ", "CROSSDOCK", "CROSSDOCK")
    assert config(partner_group_id="APP").partner() == ("ZZ", "ACMEDIST", "APP")


@pytest.mark.parametrize(
    "options",
    [
        {"our_id": ""}, {"our_id": "X" * 16}, {"our_id": " X"}, {"our_id": "X "}, {"our_id": "Ü"},
        {"our_id": "X"}, {"our_id": "A*B"}, {"our_id": "A~B"}, {"our_qualifier": "Z"},
        {"our_qualifier": "zz"}, {"partner_group_id": "X"}, {"version": "003010"}, {"usage": "I"},
        {"strictness": "lenient"}, {"acknowledge": "998"}, {"element_separator": ">"},
        {"element_separator": "A"}, {"segment_terminator": ""}, {"segment_terminator": "~~"},
        {"repetition_separator": " "}, {"unknown": 1},
    ],
)  # fmt: skip
def test_options_that_could_not_be_written_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        config(**options)


def test_elements_repeat_from_00402_on_alone() -> None:
    assert config().delimiters("004010").repetition is None
    assert config().delimiters("005010").repetition == "^"


def test_options_of_another_system_are_refused_by_every_part() -> None:
    for part in (CONNECTOR.codec, CONNECTOR.webhook):
        with pytest.raises(ConfigError):
            part(ConnectorConfig())
    for called in (CONNECTOR.client, CONNECTOR.poller):
        with pytest.raises(ConfigError):
            called(ConnectorConfig(), ANYWHERE)
    assert CONNECTOR.client(config(), ANYWHERE) is None
    assert CONNECTOR.poller(config(), ANYWHERE) is None
    assert CONNECTOR.webhook(config()) is None
