"""A running hub trades by AS2, SFTP and FTPS: an order comes in and is answered the way it came."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from connectors.transports.as2.receipts import Receipt
from hub.ledger.engine import open_engine
from hub.ledger.resend import again
from hub.servers.addresses import Addresses
from tests.support.as2_house import House, Partner, agreement, house
from tests.support.as2_keys import certificate_pem, key, key_pem
from tests.support.ftps_house import FtpsHouse, ftps_house
from tests.support.hub_world import SETTLE_SECONDS, Background, World, world
from tests.support.processes import ROOT
from tests.support.sftp_house import PASSWORD, SftpHouse, sftp_house
from tests.support.waiting import wait_until

THEIRS = agreement("THEM", "US")
SAMPLES = ROOT / "connectors" / "edifact" / "samples"


class Partners:
    """The partners' side, in an event loop of its own."""

    def __init__(self, folder: Path, database: str) -> None:
        self.loop = Background()
        self._stack = AsyncExitStack()
        self._engine = open_engine(database, pool_size=2)
        as2 = house(self._engine, our_id="THEM", partner_id="US", agreement=THEIRS)
        self.as2: House = self.loop.run(lambda: self._stack.enter_async_context(as2))
        (folder / "sftp").mkdir()
        mailbox = sftp_house(folder / "sftp")
        self.sftp: SftpHouse = self.loop.run(lambda: self._stack.enter_async_context(mailbox))
        self.ftps: FtpsHouse = self._stack.enter_context(ftps_house(folder))

    def close(self) -> None:
        """End both."""
        self.loop.run(self._stack.aclose)
        self.loop.run(self._engine.dispose)
        self.loop.close()


@pytest.fixture
def partners(tmp_path: Path, database: str) -> Iterator[Partners]:
    opened = Partners(tmp_path, database)
    yield opened
    opened.close()


@pytest.fixture
def trading(tmp_path: Path, addresses: Addresses, partners: Partners) -> Iterator[World]:
    """A hub: acme trades X12 by AS2, northside X12 by SFTP, hamburg EDIFACT by FTPS."""

    def change(site: dict[str, Any]) -> None:
        connections = site["connections"]
        connections["acme-edi"]["transport"] = {
            "kind": "as2",
            "our_id": "US",
            "partner_id": "THEM",
            "url": partners.as2.url,
            "our_keys": [f"file:{tmp_path / 'us.pem'}"],
            "partner_certificates": [str(tmp_path / "them.crt")],
        }
        secret = {"password": f"file:{tmp_path / 'password'}", "every_seconds": 0.2}
        boxes: dict[str, SftpHouse | FtpsHouse] = {
            "northside-edi": partners.sftp,
            "hamburg-edi": partners.ftps,
        }
        connections["hamburg-edi"] = {"system": "edifact", "partner": "northside"}
        connections["hamburg-edi"]["options"] = yaml.safe_load(
            (SAMPLES / "options.yaml").read_text()
        )
        for name, box in boxes.items():
            options = box.transport().model_dump(mode="json", exclude_defaults=True)
            kind = box.transport().kind
            connections[name]["transport"] = options | secret | {"kind": kind}

    (tmp_path / "us.pem").write_bytes(key_pem(key("US")))
    (tmp_path / "them.crt").write_bytes(certificate_pem(key("THEM")))
    (tmp_path / "password").write_text(PASSWORD)
    with world(tmp_path, addresses, change) as made:
        made.hub.start()
        wait_until(made.seeded, SETTLE_SECONDS, "customers, items and stock")
        yield made


def written(trading: World, number: str) -> bytes:
    """An 850 as the emulated partner writes it, into a folder that nobody watches."""
    path = trading.folder_of("acme-edi") / trading.send(number)
    wait_until(path.exists, SETTLE_SECONDS, "the 850")
    return path.read_bytes()


def by_as2(trading: World, partners: Partners, body: bytes) -> Receipt:
    """Send it to the hub; the receipt."""
    them = Partner(f"{trading.hub.url}/as2", THEIRS)
    return them.read(partners.loop.run(lambda: them.send(body, "850-1@them")))


def test_an_order_is_answered_the_way_it_came(trading: World, partners: Partners) -> None:
    trades_by_as2(trading, partners)
    trades_by_sftp(trading, partners)
    trades_by_ftps(trading, partners)
    is_sent_again_byte_for_byte(trading, partners)


def is_sent_again_byte_for_byte(trading: World, partners: Partners) -> None:
    """What went by each of them goes by it again, as it lies in the archive."""
    answers = {"acme-edi": "997", "northside-edi": "997", "hamburg-edi": "CONTRL"}
    for connection, flow in answers.items():
        rows = "SELECT id, state FROM delivery WHERE target = :target AND flow = :flow"
        (sent,) = trading.books.rows(rows, target=connection, flow=flow)
        partners.loop.run(partial(send_again, trading, sent["id"], set(answers)))
    wait_until(lambda: len(partners.as2.shelf.receipts) == 2, SETTLE_SECONDS, "the 997 by AS2")
    assert len({each.body for each in partners.as2.shelf.receipts}) == 1
    assert len({each.delivery_id for each in partners.as2.shelf.receipts}) == 2
    for root in (partners.sftp.root, partners.ftps.root):
        wait_until(partial(has_left_twice, root), SETTLE_SECONDS, "the answer again")
        assert len({path.read_bytes() for path in left_in(root)}) == 1


async def send_again(trading: World, delivery: str, numbered: set[str]) -> None:
    """Do as `crossdock edi resend` does."""
    engine = open_engine(trading.hub.environment["DATABASE_URL"], pool_size=1)
    async with engine.begin() as ledger:
        now = datetime.now(UTC)
        await again(ledger, delivery, ("ann", "they lost it"), now, numbered)
    await engine.dispose()


def has_left_twice(root: Path) -> bool:
    """Whether two files were left for a partner."""
    return len(left_in(root)) == 2


def left_in(root: Path) -> list[Path]:
    """Files that were left for a partner, whole."""
    return [path for path in (root / "out").iterdir() if path.suffix in (".x12", ".edi")]


def trades_by_as2(trading: World, partners: Partners) -> None:
    body = written(trading, "AS2-1")
    first, again = (by_as2(trading, partners, body) for _ in range(2))
    assert first.is_positive
    assert first == again
    wait_until(lambda: all(trading.effects("AS2-1").values()), SETTLE_SECONDS, "the order")
    wait_until(lambda: partners.as2.shelf.receipts, SETTLE_SECONDS, "the 997")
    (answer,) = partners.as2.shelf.receipts
    assert answer.content_type == "application/edi-x12"
    for words in (b"ST*997*", b"AK1*PO*", b"AK9*A*1*1*1"):
        assert words in answer.body
    rows = "SELECT state, facts FROM delivery WHERE target = 'acme-edi'"
    wait_until(lambda: trading.books.rows(rows)[0]["state"] == "delivered", SETTLE_SECONDS)
    (sent,) = trading.books.rows(rows)
    assert sent["facts"]["receipt"] == "signed"
    assert [verdict for verdict, _ in trading.documents("AS2-1")] == ["accept"]
    assert trading.effects("AS2-1") == {"sales_order_created": 1, "warehouse_order_received": 1}


def trades_by_sftp(trading: World, partners: Partners) -> None:
    root = partners.sftp.root
    body = written(trading, "BOX-1").replace(b"ACMEDIST ", b"NORTHSIDE")  # ISA06 keeps its length
    (root / "in" / "po.x12").write_bytes(body.replace(b"ACMEDIST", b"NORTHSIDE"))
    assert b"AK9*A*1*1*1" in answer_in(root, ".x12")
    assert list((root / "in").iterdir()) == []
    accepted = "SELECT count(*) FROM document WHERE number = 'BOX-1' AND verdict = 'accept'"
    assert trading.books.count(accepted) == 1


def trades_by_ftps(trading: World, partners: Partners) -> None:
    root = partners.ftps.root
    (root / "in" / "po.edi").write_bytes((SAMPLES / "ORDERS" / "one_order.edi").read_bytes())
    answer = answer_in(root, ".edi")
    assert b"CONTRL" in answer
    assert b"UCI+905+" in answer
    assert list((root / "in").iterdir()) == []
    read = "SELECT count(*) FROM document WHERE connection = 'hamburg-edi' AND entity = 'order'"
    assert trading.books.count(read) == 1


def answer_in(root: Path, suffix: str) -> bytes:
    """The one file that was left for the partner, whole."""
    left: list[Path] = []

    def there() -> bool:
        left[:] = [path for path in (root / "out").iterdir() if path.suffix == suffix]
        return bool(left)

    wait_until(there, SETTLE_SECONDS, f"an answer *{suffix}")
    (path,) = left
    return path.read_bytes()
