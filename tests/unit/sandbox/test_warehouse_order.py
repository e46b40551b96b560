"""How the warehouse reads a 940."""

from __future__ import annotations

from decimal import Decimal

import pytest

from sandbox.warehouse_order import WarehouseOrder, from_row, read_order
from sandbox.x12 import Segment, TransactionSet

BODY = [
    "W05*N*XD1*PO-4711",
    "N1*BY*ACME*92*1", "N3*not this",
    "N1*ST*Acme DC*92*0042", "N3*100 Main St", "N4*Springfield*IL*62701*US",
    "N1*SF*LAKESIDE", "N3*nor this",
    "W66*PP*U********UPSN",
    "LX*1", "W01*4*EA**VN*1896-S*BP*A-1", "G69*ATHENS Desk", "N9*LI*10",
    "LX*2", "W01*2.5*EA*061414100074",
    "W76*6.5",
]  # fmt: skip


def _segments(lines: list[str]) -> list[Segment]:
    return [line.split("*") for line in lines]


def _read(lines: list[str], code: str = "940") -> WarehouseOrder:
    return read_order(TransactionSet(code, "0001", _segments(lines)))


def test_an_order_is_read_whole() -> None:
    order = _read(BODY)
    assert (order.number, order.status, order.po_number) == ("XD1", "N", "PO-4711")
    assert [segment[0] for segment in order.ship_to] == ["N1", "N3", "N4"]
    assert order.ship_to[0][2] == "Acme DC"
    assert (order.scac, order.method) == ("UPSN", "U")
    first, second = order.lines
    assert (first.number, first.quantity, first.unit) == ("10", Decimal(4), "EA")
    assert first.ids == (("VN", "1896-S"), ("BP", "A-1"))
    assert first.description == "ATHENS Desk"
    assert (second.number, second.sku) == ("2", "061414100074")


def test_the_depositors_own_number_is_the_sku_wherever_it_stands() -> None:
    lines = [line.replace("VN*1896-S*BP*A-1", "BP*A-1*VN*1896-S") for line in BODY]
    assert _read(lines).lines[0].sku == "1896-S"


def test_the_content_ignores_the_envelope_and_nothing_else() -> None:
    same = read_order(TransactionSet("940", "0099", _segments(BODY)))
    assert same.content == _read(BODY).content
    assert _read([*BODY[:-1], "W76*7"]).content != same.content


def test_an_order_comes_back_from_the_journal_as_it_was() -> None:
    assert from_row(_read(BODY).row()) == _read(BODY)


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (["W05*N", *BODY[1:]], "W0502"),
        (BODY[:9], "W01"),
        (["W05*N*1", "LX*1", "W01*x*EA"], "W0101"),
        (["W05*N*1", "LX*1", "W01*0*EA"], "W0101"),
        (["W05*N*1", "LX*1", "W01*NaN*EA"], "W0101"),
        (["W05*N*1", "LX*1", "W01"], "W0101"),
    ],
)
def test_an_order_that_cannot_be_worked_on_is_refused(lines: list[str], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        _read(lines)


def test_another_transaction_set_is_refused() -> None:
    with pytest.raises(ValueError, match="940"):
        _read(BODY, code="943")
