"""Documents to test with: the examples, each as its model."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from canonical import DOCUMENTS, Document
from canonical.examples import EXAMPLES
from canonical.order import Order

MakeOrder = Callable[..., Order]


@pytest.fixture(params=sorted(EXAMPLES))
def document(request: pytest.FixtureRequest) -> Document:
    """Every example in turn."""
    return DOCUMENTS[request.param].model_validate_json(json.dumps(EXAMPLES[request.param]))


@pytest.fixture
def make_order() -> MakeOrder:
    """An order like the example, with some top-level fields changed; None takes one away."""

    def make(**changes: Any) -> Order:
        body = {k: v for k, v in (EXAMPLES["order"] | changes).items() if v is not None}
        return Order.model_validate_json(json.dumps(body))

    return make
