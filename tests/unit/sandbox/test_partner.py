"""EDI customers."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from sandbox.partner import Partner, open_partner
from sandbox.purchase_order import LineChange, PurchaseChange, PurchaseLine, PurchaseOrder
from sandbox.x12 import Envelope, read, write

AT = datetime(2026, 3, 2, 10, 11, tzinfo=UTC)
ORDER = PurchaseOrder(
    number="PO-1",
    ordered_on=date(2026, 3, 2),
    requested_on=date(2026, 3, 9),
    ship_method="UPSGROUND",
    note="Ring twice",
    lines=(
        PurchaseLine(sku="1896-S", quantity="2", price="1000.80", buyer_sku="A-1"),
        PurchaseLine(sku="1928-S", quantity="3", price="54.90", description="Lamp"),
    ),
)


class _Desk:
    """A partner whose process can end and start again."""

    def __init__(self, root: Path) -> None:
        self.root, self.inbox, self.outbox = root, root / "inbox", root / "outbox"
        self.inbox.mkdir()
        self.outbox.mkdir()

    def open(self, name: str = "acme") -> Partner:
        return open_partner(name, self.root / f"{name}.jsonl", self.inbox, self.outbox, lambda: AT)


@pytest.fixture
def desk(tmp_path: Path) -> _Desk:
    return _Desk(tmp_path)


def _segments(path: Path) -> list[str]:
    (interchange,) = read(path.read_text())
    return ["*".join(one) for one in interchange.groups[0].sets[0].segments]


def test_a_purchase_order_is_a_whole_850(desk: _Desk) -> None:
    with desk.open() as partner:
        file = partner.send_orders([ORDER])
    (interchange,) = read((desk.inbox / file.name).read_text())
    assert (interchange.sender, interchange.receiver) == ("ACMEDIST", "CROSSDOCK")
    assert interchange.groups[0].code == "PO"
    segments = _segments(desk.inbox / file.name)
    assert segments[0] == "BEG*00*SA*PO-1**20260302"
    assert "DTM*002*20260309" in segments
    assert "TD5*****UPSGROUND" in segments
    assert "PO1*1*2*EA*1000.80**VN*1896-S*BP*A-1" in segments
    assert "PO1*2*3*EA*54.90**VN*1928-S" in segments
    assert segments[-2:] == ["CTT*2", "AMT*TT*2166.30"]


def test_a_change_is_an_860(desk: _Desk) -> None:
    line = LineChange(line="1", action="QI", sku="1896-S", quantity="5", price="1000.80")
    change = PurchaseChange(
        number="PO-1", sequence=2, lines=(line,), ordered_on=AT.date(), requested_on=AT.date()
    )
    with desk.open() as partner:
        file = partner.send_changes([change])
    segments = _segments(desk.inbox / file.name)
    assert segments[0] == "BCH*04*SA*PO-1**2*20260302*****20260302"
    assert segments[2] == "POC*1*QI*5**EA*1000.80**VN*1896-S"


def test_control_numbers_go_on_after_a_restart(desk: _Desk) -> None:
    with desk.open() as partner:
        partner.send_orders([ORDER, ORDER.model_copy(update={"number": "PO-2"})])
    with desk.open() as partner:
        assert partner.send_orders([ORDER]).interchange == 2
    assert sorted(path.name for path in desk.inbox.iterdir()) == [
        "850_000000001.x12",
        "850_000000002.x12",
    ]


def test_a_retransmission_has_the_same_bytes(desk: _Desk) -> None:
    with desk.open() as partner:
        first = partner.send_orders([ORDER])
        again = partner.send_again(first.name)
        third = partner.send_again(first.name)
        assert (again.again, again.interchange) == (first.name, 1)
        assert len({first.name, again.name, third.name}) == 3
        with pytest.raises(KeyError):
            partner.send_again("nothing")
    assert len({path.read_bytes() for path in desk.inbox.iterdir()}) == 1


def test_any_bytes_can_be_sent_but_no_path(desk: _Desk) -> None:
    data = bytes(range(256))
    with desk.open() as partner:
        partner.send_bytes("odd.bin", data)
        with pytest.raises(ValueError, match="name of one file"):
            partner.send_bytes("../odd.bin", data)
    assert (desk.inbox / "odd.bin").read_bytes() == data


def test_a_file_recorded_but_not_left_is_left_after_a_crash(desk: _Desk) -> None:
    with desk.open() as partner:
        file = partner.send_orders([ORDER])
    left = desk.inbox / file.name
    before = left.read_bytes()
    left.unlink()
    journal = desk.root / "acme.jsonl"
    journal.write_text("".join(journal.read_text().splitlines(keepends=True)[:1]))
    desk.open().close()
    assert left.read_bytes() == before


def test_acknowledgements_are_collected_once(desk: _Desk) -> None:
    answer = Envelope("CROSSDOCK", "ACMEDIST", 1, AT, "FA")
    body = [["AK1", "PO", "1"], ["AK2", "850", "0001"], ["AK5", "A"], ["AK9", "A", "1", "1", "1"]]
    (desk.outbox / "997.x12").write_text(write(answer, [("997", body)]))
    isa = write(answer, []).splitlines()[0]
    notice = "TA1*000000002*260302*1011*R*025~"
    (desk.outbox / "ta1.x12").write_text(f"{isa}\n{notice}\nIEA*0*000000001~")
    (desk.outbox / "odd.txt").write_text("hello")
    with desk.open() as partner:
        assert partner.collect() == {"1": "A", "TA1/000000002": "R"}
        assert partner.collect() == {"1": "A", "TA1/000000002": "R"}
    with desk.open() as partner:
        assert partner.collect() == {"1": "A", "TA1/000000002": "R"}
    effects = (desk.root / "acme.jsonl").read_text()
    assert effects.count("partner_acknowledged") == 3


def test_a_missing_outbox_holds_no_acknowledgements(desk: _Desk) -> None:
    desk.outbox.rmdir()
    with desk.open("northside") as partner:
        assert partner.isa_id == "NORTHSIDE"
        assert partner.collect() == {}
