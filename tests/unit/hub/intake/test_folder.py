"""Taking in what stands in a folder: how much of it is in memory at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.base import Receipt
from hub.intake import folder
from hub.intake.folder import FolderIntake
from hub.settings.model import FolderTransport
from tests.support.doors import Shelf, door


def intake(inbox: Path, shelf: Shelf) -> FolderIntake:
    inbox.mkdir()
    transport = FolderTransport(kind="folder", inbox=inbox, stable_seconds=0)
    return FolderIntake("acme-edi", transport, door(shelf))


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
