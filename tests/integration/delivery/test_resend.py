"""An interchange that is sent again is the archived one, whatever would be written by now."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from canonical.errors import Rejected, Retryable
from connectors.base import Numbers, Outbound, Settled
from hub.archive import Archive
from hub.delivery.parts import Rendered
from hub.delivery.role import DeliverRole
from hub.ledger import resend
from hub.ledger.control_numbers import retire
from hub.ledger.delivery_rows import DeliveryRow, DocumentRow
from hub.ledger.tables import delivery, document
from tests.support.deliveries import (
    Books,
    ScriptedTarget,
    accepts,
    fails_with,
    parts,
    running,
    spec,
    until,
)

SCOPE = "CROSSDOCK/LAKESIDE3PL/P"
NOW = datetime.now(UTC)
ACT = ("ann", "they lost it")


class Writer:
    """A mapping and a profile that change: what is written begins with their state."""

    def __init__(self) -> None:
        self.state = "old"

    async def render(self, row: DeliveryRow, source: DocumentRow, numbers: Numbers) -> Rendered:
        """See `Renderer`."""
        del row
        body = f"{self.state} {source.number} {numbers.interchange}"
        return Rendered({"text": body}, body.encode(), "v1")


class Mailbox(ScriptedTarget):
    """A target that keeps the bytes, and sees what the ledger and the archive said before."""

    def __init__(self, books: Books, archive: Archive) -> None:
        super().__init__()
        self.books, self.archive = books, archive
        self.got: list[bytes] = []
        self.archived: list[bytes] = []

    async def deliver(self, outbound: Outbound) -> Settled:
        """Take it."""
        row = await self.books.row(delivery, id=outbound.id)
        self.archived.append(self.archive.read(row["archive"], row["sent_sha256"]))
        self.got.append(outbound.encoded)
        return await super().deliver(outbound)


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "archive")


@pytest.fixture
def mailbox(books: Books, archive: Archive) -> Mailbox:
    return Mailbox(books, archive)


@pytest.fixture
def writer() -> Writer:
    return Writer()


@pytest.fixture
def role(books: Books, mailbox: Mailbox, archive: Archive, writer: Writer) -> DeliverRole:
    async def keep(body: bytes) -> str:
        return archive.keep([body], NOW)[0]

    async def read(place: str, sha256: str) -> bytes:
        return archive.read(place, sha256)

    given = parts(books.engine, renderer=writer, archive=keep, unarchive=read)
    return DeliverRole(spec(mailbox, control_scope=SCOPE), given)


async def again(books: Books, delivery_id: str) -> resend.Again:
    async with books.engine.begin() as ledger:
        return await resend.again(ledger, delivery_id, ACT, NOW, {"bc"})


async def sent_then(
    books: Books, role: DeliverRole, between: Callable[[str], Awaitable[None]]
) -> str:
    """Send one, let something happen, send it again; the second delivery."""
    one = await books.order("1")
    async with running(role):
        await until(books, one, "delivered")
        await between(one)
        owed = await again(books, one)
        await until(books, owed.delivery, "delivered")
    return owed.delivery


async def test_what_leaves_is_in_the_archive_before_it_leaves(
    books: Books, role: DeliverRole, mailbox: Mailbox
) -> None:
    one = await books.order("1")
    async with running(role):
        row = await until(books, one, "delivered")
    assert mailbox.archived == mailbox.got == [b"old 1 1"]
    assert row["sent_sha256"] == hashlib.sha256(b"old 1 1").hexdigest()


async def test_neither_mapping_nor_profile_nor_document_changes_what_is_sent_again(
    books: Books, role: DeliverRole, mailbox: Mailbox, writer: Writer
) -> None:
    async def change(_: str) -> None:
        writer.state = "new"
        async with books.engine.begin() as ledger:
            await ledger.execute(sa.update(document).values(number="other"))

    second = await sent_then(books, role, change)
    assert mailbox.got == mailbox.archived == [b"old 1 1", b"old 1 1"]
    row = await books.row(delivery, id=second)
    assert row["sent_sha256"] == hashlib.sha256(b"old 1 1").hexdigest()


async def test_what_was_rejected_and_has_no_number_any_more_is_sent_again_under_its_old_one(
    books: Books, role: DeliverRole, mailbox: Mailbox
) -> None:
    async def rejected(_: str) -> None:
        async with books.engine.begin() as ledger:
            await retire(ledger, SCOPE, "XD1/create_order/1", 1)

    await sent_then(books, role, rejected)
    assert mailbox.got[1] == b"old 1 1"


async def test_every_try_of_a_resend_sends_the_archived_bytes(
    books: Books, role: DeliverRole, mailbox: Mailbox, writer: Writer
) -> None:
    async def busy(_: str) -> None:
        writer.state = "new"
        mailbox.script.extend([fails_with(Retryable("busy")), accepts])

    await sent_then(books, role, busy)
    assert mailbox.got == [b"old 1 1"] * 3


async def test_a_replay_is_no_resend_and_is_written_anew(
    books: Books, role: DeliverRole, mailbox: Mailbox, writer: Writer
) -> None:
    one = await books.order("1")
    async with running(role):
        await until(books, one, "delivered")
        writer.state = "new"
        replay = await books.delivery("doc-1", occasion="replay-1")
        await until(books, replay, "delivered")
    assert mailbox.got == [b"old 1 1", b"new 1 1"]


async def test_bytes_that_are_not_those_that_were_sent_are_not_sent(
    books: Books, role: DeliverRole, mailbox: Mailbox, archive: Archive
) -> None:
    one = await books.order("1")
    async with running(role):
        row = await until(books, one, "delivered")
        owed = await again(books, one)
        await books.change(owed.delivery, sent_sha256="0" * 64)
        letter = await until(books, owed.delivery, "dead")
    assert letter["code"] == "archive_damaged"
    assert mailbox.got == [b"old 1 1"]
    assert await asyncio.to_thread(archive.read, row["archive"]) == b"old 1 1"


@pytest.mark.parametrize(
    ("values", "numbered", "code"),
    [
        ({"state": "pending"}, "bc", "delivery_busy"),
        ({"archive": None}, "bc", "delivery_never_sent"),
        ({}, "elsewhere", "delivery_unnumbered"),
        ({"id": "another"}, "bc", "delivery_unknown"),
    ],
    ids=["busy", "never sent", "unnumbered", "unknown"],
)
async def test_what_cannot_be_sent_again_is_refused(
    books: Books, values: dict[str, Any], numbered: str, code: str
) -> None:
    sent = {"state": "delivered", "archive": "p:0:1", "sent_sha256": "0", "next_at": None}
    one = await books.order("1", **(sent | {"id": "one"} | values))
    async with books.engine.begin() as ledger:
        with pytest.raises(Rejected, match=code):
            await resend.again(ledger, "one", ACT, NOW, {numbered})
    assert [row["id"] for row in await books.rows(delivery)] == [one]
