"""A folder as a target: one file however often it is tried, and always a true answer."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from canonical.errors import Rejected, Retryable
from connectors.base import Outbound
from hub.delivery.folder_client import FolderClient

BODY = b"ISA*00*~"
OUT = Outbound("d1", "send", "XD1", {}, BODY, "940-XD1.x12")


@pytest.fixture
def outbox(tmp_path: Path) -> Path:
    folder = tmp_path / "outbox"
    folder.mkdir()
    return folder


def journal_of(outbox: Path) -> Path:
    return outbox.with_name(".outbox.sent")


def stop_before_rename(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise KeyboardInterrupt  # what a kill leaves behind: nothing after this runs

    monkeypatch.setattr(FolderClient, "_publish", refuse)


async def test_a_delivery_leaves_the_file_whole(outbox: Path) -> None:
    settled = await FolderClient(outbox).deliver(OUT)
    assert (outbox / "940-XD1.x12").read_bytes() == BODY
    assert settled.external_id == "940-XD1.x12"


async def test_nothing_but_the_file_is_left_in_the_outbox(outbox: Path) -> None:
    await FolderClient(outbox).deliver(OUT)
    assert os.listdir(outbox) == ["940-XD1.x12"]  # noqa: PTH208  # hidden names count too


async def test_before_it_is_sent_it_is_certainly_not_there(outbox: Path) -> None:
    assert await FolderClient(outbox).look_up(OUT) is None


async def test_it_is_found_while_it_is_there(outbox: Path) -> None:
    sent = await FolderClient(outbox).deliver(OUT)
    assert await FolderClient(outbox).look_up(OUT) == sent


async def test_it_is_found_after_the_partner_took_it_away(outbox: Path) -> None:
    sent = await FolderClient(outbox).deliver(OUT)
    (outbox / "940-XD1.x12").unlink()
    assert await FolderClient(outbox).look_up(OUT) == sent


async def test_it_is_found_by_name_where_it_can_no_longer_be_rendered(outbox: Path) -> None:
    sent = await FolderClient(outbox).deliver(OUT)
    assert await FolderClient(outbox).look_up(replace(OUT, encoded=b"")) == sent


async def test_a_crash_before_the_rename_is_told_from_one_after_it(
    outbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        stop_before_rename(patch)
        with pytest.raises(KeyboardInterrupt):
            FolderClient(outbox)._deliver(OUT.file_name, BODY)  # noqa: SLF001  # in this thread
    client = FolderClient(outbox)
    assert await client.look_up(OUT) is None
    await client.deliver(replace(OUT, encoded=b"rendered anew"))
    assert (outbox / OUT.file_name).read_bytes() == b"rendered anew"


async def test_a_crash_while_marking_leaves_nothing_that_looks_sent(outbox: Path) -> None:
    journal = journal_of(outbox)
    journal.mkdir()
    (journal / OUT.file_name).write_bytes(BODY)
    assert await FolderClient(outbox).look_up(OUT) is None
    await FolderClient(outbox).deliver(OUT)
    assert (outbox / OUT.file_name).read_bytes() == BODY


async def test_the_same_file_that_is_still_there_is_no_second_effect(outbox: Path) -> None:
    await FolderClient(outbox).deliver(OUT)
    before = (outbox / OUT.file_name).stat().st_ino
    await FolderClient(outbox).deliver(OUT)
    assert (outbox / OUT.file_name).stat().st_ino == before


async def test_a_name_taken_by_other_bytes_is_refused(outbox: Path) -> None:
    (outbox / OUT.file_name).write_bytes(b"somebody else's")
    with pytest.raises(Rejected, match="file_exists"):
        await FolderClient(outbox).deliver(OUT)
    assert (outbox / OUT.file_name).read_bytes() == b"somebody else's"


async def test_a_missing_outbox_is_a_passing_fault(tmp_path: Path) -> None:
    client = FolderClient(tmp_path / "gone")
    for call in (client.deliver, client.look_up):
        with pytest.raises(Retryable, match="folder_unavailable"):
            await call(OUT)


async def test_old_marks_are_forgotten_and_young_ones_kept(outbox: Path) -> None:
    await FolderClient(outbox).deliver(OUT)
    old = journal_of(outbox) / "old.x12.sha256"
    old.write_text("00")
    os.utime(old, (0, 0))
    await FolderClient(outbox).deliver(replace(OUT, file_name="another.x12"))
    assert not old.exists()
    assert (journal_of(outbox) / "940-XD1.x12.sha256").exists()


async def test_it_may_be_closed_twice(outbox: Path) -> None:
    client = FolderClient(outbox)
    await client.close()
    await client.close()


async def test_an_outbox_that_is_not_there_is_asked_again_later_and_never_made(
    tmp_path: Path,
) -> None:
    mount = tmp_path / "mount"
    for outbox in (tmp_path / "outbox", mount / "outbox"):
        with pytest.raises(Retryable) as raised:
            await FolderClient(outbox).deliver(OUT)
        assert raised.value.code == "folder_unavailable"
    assert os.listdir(tmp_path) == []  # noqa: PTH208
