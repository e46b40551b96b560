"""The journal keeps what was acknowledged, and nothing half."""

from __future__ import annotations

import asyncio
import os
from decimal import Decimal
from pathlib import Path

import pytest

from sandbox.journal import STRIDE, Journal


def _effect(name: str) -> dict[str, object]:
    return {"at": "", "system": "s", "effect": name, "reference": ""}


def _names(journal: Journal, since: int = 0) -> list[str]:
    return [entry["effect"] for entry in journal.entries(since)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "effects.jsonl"


def test_what_was_flushed_is_there_after_reopening(path: Path) -> None:
    journal = Journal(path)
    journal.append([_effect("a"), _effect("b")])
    journal.flush()
    journal.close()

    again = Journal(path)
    assert _names(again) == ["a", "b"]
    assert again.append([_effect("c")])[0]["seq"] == 3
    again.close()


def test_a_torn_last_line_is_cut_off(path: Path) -> None:
    journal = Journal(path)
    journal.append([_effect("a")])
    journal.append([_effect("b")])
    journal.close()
    whole = path.read_bytes()
    for cut in range(whole.index(b"\n") + 2, len(whole)):
        path.write_bytes(whole[:cut])
        again = Journal(path)
        assert _names(again) == ["a"]
        assert path.read_bytes() == whole[: whole.index(b"\n") + 1]
        again.close()


def test_a_group_of_which_a_part_is_missing_is_dropped_whole(path: Path) -> None:
    journal = Journal(path)
    journal.append([_effect("before")])
    journal.append([_effect("shipment"), _effect("invoice")])
    journal.close()
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:2]))

    again = Journal(path)
    assert _names(again) == ["before"]
    assert again.append([_effect("next")])[0]["seq"] == 2
    again.close()


@pytest.mark.parametrize("damage", [b"{}", b"x\n", b'{"seq": 9, "until": 9}\n'])
def test_damage_before_the_end_is_told_and_not_cut_off(path: Path, damage: bytes) -> None:
    journal = Journal(path)
    journal.append([_effect("a"), _effect("b"), _effect("c")])
    journal.close()
    lines = path.read_bytes().splitlines(keepends=True)
    damaged = b"".join([lines[0], damage, *lines[1:]])
    path.write_bytes(damaged)
    with pytest.raises(ValueError, match="damaged at its line 2"):
        Journal(path)
    assert path.read_bytes() == damaged


def test_entries_are_found_from_any_position_across_strides(path: Path) -> None:
    journal = Journal(path)
    total = 2 * STRIDE + 3
    for number in range(1, total + 1):
        journal.append([_effect(str(number))])
    journal.flush()
    for since in (0, 1, STRIDE - 1, STRIDE, STRIDE + 1, 2 * STRIDE, total - 1, total):
        assert _names(journal, since) == [str(n) for n in range(since + 1, total + 1)]
    assert [entry["seq"] for entry in journal.entries(STRIDE, limit=2)] == [STRIDE + 1, STRIDE + 2]
    journal.close()
    again = Journal(path)
    assert _names(again, 2 * STRIDE) == ["513", "514", "515"]
    again.close()


def test_unflushed_entries_are_not_read(path: Path) -> None:
    journal = Journal(path)
    journal.append([_effect("a")])
    assert _names(journal) == []
    journal.close()


def test_decimals_come_back_exact(path: Path) -> None:
    journal = Journal(path)
    journal.append([{**_effect("a"), "price": Decimal("1000.80"), "count": Decimal(3)}])
    journal.flush()
    (entry,) = journal.entries()
    assert entry["price"] == Decimal("1000.8")
    assert entry["count"] == 3
    journal.close()


def test_only_one_process_holds_a_journal(path: Path) -> None:
    journal = Journal(path)
    with pytest.raises(BlockingIOError):
        Journal(path)
    journal.close()


async def test_waiters_share_fsyncs(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(path)
    real, count = os.fsync, 0

    def counted(file: int) -> None:
        nonlocal count
        count += 1
        real(file)

    monkeypatch.setattr(os, "fsync", counted)

    async def one(number: int) -> None:
        journal.append([_effect(str(number))])
        await journal.flushed()

    await asyncio.gather(*(one(number) for number in range(200)))
    assert len(_names(journal)) == 200
    assert count < 20
    journal.close()


async def test_a_disk_that_refuses_is_told_to_every_waiter_from_then_on(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(path)

    def full(_file: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", full)
        journal.append([_effect("a")])
        with pytest.raises(OSError, match="No space"):
            await journal.flushed()
    journal.append([_effect("b")])
    with pytest.raises(OSError, match="No space"):
        await journal.flushed()
    with pytest.raises(OSError, match="No space"):
        journal.close()
