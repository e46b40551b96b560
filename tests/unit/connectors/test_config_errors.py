"""What is wrong with a connection's options is said without quoting them: they hold secrets."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from connectors.base import Connector
from connectors.registry import CONNECTORS

CANARY = "C4N4RY"


@pytest.mark.parametrize("connector", CONNECTORS.values(), ids=list(CONNECTORS))
def test_an_option_that_is_refused_is_not_quoted(connector: Connector) -> None:
    options = {name: [{CANARY: CANARY}] for name in connector.config.model_fields}
    with pytest.raises(ValidationError) as refused:
        connector.config.model_validate({**options, "unknown_option": CANARY})
    assert CANARY not in str(refused.value)
    assert "unknown_option" in str(refused.value)
