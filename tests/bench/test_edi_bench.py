"""What the bench of EDI measures is what it says: right documents, each of them read."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from connectors.inspectors import INSPECTORS
from tests.bench import edi_orders, orders
from tests.bench.edi_child import READERS

WRITERS: dict[str, Callable[[int], bytes]] = {
    "x12": orders.interchange,
    "edifact": edi_orders.interchange,
}


@pytest.mark.parametrize("format_", WRITERS)
@pytest.mark.parametrize("n", [0, 7, 123_456])
def test_its_documents_are_right_and_hold_twelve_lines(format_: str, n: int) -> None:
    found = INSPECTORS[format_].inspect(WRITERS[format_](n))
    assert found["ok"]
    (each,) = found["interchanges"][0]["sets"]
    (lines,) = (
        value for key, value in each["body"]["detail"].items() if key.startswith(("PO1", "LIN"))
    )
    assert len(lines) == 12


@pytest.mark.parametrize("format_", WRITERS)
@pytest.mark.parametrize("checked", [False, True])
def test_every_document_of_a_stream_is_made(format_: str, *, checked: bool) -> None:
    data = b"".join(map(WRITERS[format_], range(30)))
    pieces = (data[at : at + 1000] for at in range(0, len(data), 1000))
    assert READERS[format_](pieces, checked=checked) == 30
