"""Taking in what stands in a folder: how much of it is in memory at once."""

from __future__ import annotations

import asyncio
from collections.abc import Sized
from pathlib import Path

import pytest

from canonical.errors import HubError
from connectors.base import Receipt
from hub.intake import folder
from hub.intake.folder import FolderIntake
from hub.settings.model import FolderTransport
from tests.support.doors import Shelf, door


def intake(inbox: Path, shelf: Shelf) -> FolderIntake:
    inbox.mkdir()
    transport = FolderTransport(kind="folder", inbox=inbox, stable_seconds=0)
    return FolderIntake("acme-edi", transport, door(shelf))


async def until(things: Sized) -> None:
    """Wait for the first thing."""
    async with asyncio.timeout(10):
        while not things:  # noqa: ASYNC110  # nobody tells of it
            await asyncio.sleep(0.01)


async def test_files_are_stored_and_moved_before_more_than_a_share_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder, "_MOST_BYTES", 1000)
    inbox = tmp_path / "inbox"
    left_at_store = list[int]()

    class Watching(Shelf):
        async def save(self, receipt: Receipt) -> None:
            await super().save(receipt)
            left_at_store.append(len(list(inbox.glob("*.edi"))))

    taking_in = intake(inbox, shelf := Watching())
    for number in range(6):
        (inbox / f"{number}.edi").write_bytes(bytes([65 + number]) * 400)
    await taking_in.look()
    assert len(shelf.receipts) == 6
    assert left_at_store[4] == 2  # the four before it are safe and moved
    assert len(list((inbox / "done").iterdir())) == 6


async def test_a_file_larger_than_a_share_is_taken_in_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder, "_MOST_BYTES", 10)
    taking_in = intake(tmp_path / "inbox", shelf := Shelf())
    (tmp_path / "inbox" / "large.edi").write_bytes(b"x" * 500)
    await taking_in.look()
    assert [len(receipt.body) for receipt in shelf.receipts] == [500]


async def test_files_that_cannot_be_stored_stay_where_they_are(tmp_path: Path) -> None:
    taking_in = intake(tmp_path / "inbox", shelf := Shelf())
    (tmp_path / "inbox" / "a.edi").write_bytes(b"x")
    shelf.refusing = True
    await taking_in.look()
    shelf.refusing = False
    await taking_in.look()
    assert len(shelf.receipts) == 1


async def test_an_inbox_that_is_not_there_is_waited_for_and_not_made(tmp_path: Path) -> None:
    taking_in = intake(tmp_path / "inbox", shelf := Shelf())
    (tmp_path / "inbox").rmdir()
    with pytest.raises(HubError) as waits:
        await taking_in.look()
    assert waits.value.code == "folder_unavailable"
    assert not (tmp_path / "inbox").exists()
    (tmp_path / "inbox").mkdir()
    (tmp_path / "inbox" / "a.edi").write_bytes(b"x")
    stop = asyncio.Event()
    running = asyncio.create_task(taking_in.run(stop))
    await until(shelf.receipts)
    stop.set()
    await running
