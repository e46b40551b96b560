"""The archive: bytes come back as they were, and damage is named."""

from __future__ import annotations

import asyncio
import hashlib
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from canonical.errors import Rejected
from hub.archive import Archive

NOW = datetime(2026, 5, 5, tzinfo=UTC)


def test_everything_kept_comes_back_byte_for_byte(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    bodies = [b"", b"\x00\xff" * 1000, b"ISA*00~", b"x"]
    places = archive.keep(bodies, NOW) + archive.keep([b"later"], NOW)
    assert [Archive(tmp_path).read(place) for place in places] == [*bodies, b"later"]


def test_a_place_is_checked_against_the_hash_that_the_ledger_keeps(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    (place,) = archive.keep([b"body"], NOW)
    assert archive.read(place, hashlib.sha256(b"body").hexdigest()) == b"body"
    with pytest.raises(Rejected, match="archive_damaged"):
        archive.read(place, hashlib.sha256(b"other").hexdigest())


@pytest.mark.parametrize("place", ["", "x", "missing.zst:0:9", "../../etc/passwd:0:9", "a:b:c"])
def test_a_place_that_is_none_is_damage_and_never_another_file(tmp_path: Path, place: str) -> None:
    with pytest.raises(Rejected, match="archive_damaged"):
        Archive(tmp_path).read(place)


def test_a_flipped_byte_is_damage(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    (place,) = archive.keep([b"some body of some length"], NOW)
    pack = next(tmp_path.iterdir())
    raw = bytearray(pack.read_bytes())
    raw[-3] ^= 0xFF
    pack.write_bytes(raw)
    with pytest.raises(Rejected, match="archive_damaged"):
        archive.read(place, hashlib.sha256(b"some body of some length").hexdigest())


def test_threads_that_keep_at_once_do_not_mix_their_entries(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        places = list(pool.map(lambda n: archive.keep([f"body {n}".encode()], NOW)[0], range(200)))
    assert [archive.read(place) for place in places] == [f"body {n}".encode() for n in range(200)]


def test_an_archive_that_was_closed_goes_on_behind_what_it_kept(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    (one,) = archive.keep([b"one"], NOW)
    archive.close()
    (two,) = archive.keep([b"two"], NOW)
    assert [Archive(tmp_path).read(place) for place in (one, two)] == [b"one", b"two"]
    assert len(list(tmp_path.iterdir())) == 1


def test_each_day_has_a_pack_of_its_own(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    (one,) = archive.keep([b"one"], NOW)
    (two,) = archive.keep([b"two"], NOW + timedelta(days=1))
    assert one[:10] == "2026-05-05"
    assert two[:10] == "2026-05-06"
    assert [archive.read(place) for place in (one, two)] == [b"one", b"two"]


def test_two_hubs_with_one_process_id_on_one_folder_do_not_harm_each_other(tmp_path: Path) -> None:
    hubs = [Archive(tmp_path), Archive(tmp_path)]  # one process: one process id
    kept = {}
    for number in range(20):
        body = f"body {number}".encode() * number
        (place,) = hubs[number % 2].keep([body], NOW)
        kept[place] = body
    assert {place: Archive(tmp_path).read(place) for place in kept} == kept


def test_a_new_pack_is_entered_into_its_folder_on_disk_before_anything_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[Path] = []
    really = os.fsync

    def fsync(descriptor: int) -> None:
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink())
        really(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    folder = tmp_path / "data" / "archive"
    archive = Archive(folder)
    archive.keep([b"one"], NOW)
    (pack,) = folder.iterdir()
    assert synced == [folder.parent, tmp_path, folder, pack]
    archive.keep([b"two"], NOW)
    assert synced[4:] == [pack]


async def test_the_archive_waits_for_nothing_else_that_is_done_in_threads(tmp_path: Path) -> None:
    loop, may_end = asyncio.get_running_loop(), threading.Event()
    busy = [loop.run_in_executor(None, may_end.wait) for _ in range(40)]  # a hanging folder, say
    archive = Archive(tmp_path)
    try:
        async with asyncio.timeout(20):
            (place,) = await archive.store([b"body"], NOW)
            assert await archive.fetch(place, hashlib.sha256(b"body").hexdigest()) == b"body"
        assert not any(each.done() for each in busy)
    finally:
        may_end.set()
        await asyncio.gather(*busy)
        archive.close()
