"""The outbox: whole or not at all, once, and never over somebody else's file."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from canonical.errors import Rejected, Retryable
from connectors.transports.folder import opened, write_atomic


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[int]:
    with opened(tmp_path) as descriptor:
        yield descriptor


def _names(folder: Path) -> set[str]:
    return {entry.name for entry in folder.iterdir()}


def test_a_file_is_left_whole_and_nothing_else(tmp_path: Path, outbox: int) -> None:
    write_atomic(outbox, "940-1.edi", b"ISA")
    assert (tmp_path / "940-1.edi").read_bytes() == b"ISA"
    assert _names(tmp_path) == {"940-1.edi"}


def test_the_same_bytes_again_change_nothing(tmp_path: Path, outbox: int) -> None:
    write_atomic(outbox, "940-1.edi", b"ISA")
    before = (tmp_path / "940-1.edi").stat()
    write_atomic(outbox, "940-1.edi", b"ISA")
    after = (tmp_path / "940-1.edi").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


@pytest.mark.parametrize("body", [b"IEA", b"ISA*", b"IS", b""])
def test_a_name_that_holds_other_bytes_is_not_overwritten(
    tmp_path: Path, outbox: int, body: bytes
) -> None:
    write_atomic(outbox, "940-1.edi", b"ISA")
    with pytest.raises(Rejected, match="file_exists"):
        write_atomic(outbox, "940-1.edi", body)
    assert (tmp_path / "940-1.edi").read_bytes() == b"ISA"


@pytest.mark.parametrize("kind", ["link", "fifo", "folder"])
def test_a_name_taken_by_something_special_is_not_touched(
    tmp_path: Path, outbox: int, kind: str
) -> None:
    target = tmp_path / "940-1.edi"
    if kind == "link":
        target.symlink_to(tmp_path / "elsewhere")
    elif kind == "fifo":
        os.mkfifo(target)
    else:
        target.mkdir()
    with pytest.raises((Rejected, Retryable)) as refused:
        write_atomic(outbox, "940-1.edi", b"ISA")
    assert refused.value.code in {"file_exists", "folder_unavailable"}
    assert _names(tmp_path) == {"940-1.edi"}


@pytest.mark.parametrize(
    "name",
    ["../x", "a/b", "/etc/x", "", ".", "..", ".x", "x.tmp", "a b", "\u00e9", "a\n", "x" * 121],
)
def test_only_a_safe_name_is_written(tmp_path: Path, outbox: int, name: str) -> None:
    with pytest.raises(Rejected, match="name_unsafe"):
        write_atomic(outbox, name, b"ISA")
    assert _names(tmp_path) == set()


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.ENOSPC, "folder_full"),
        (errno.EIO, "folder_unavailable"),
        (errno.EACCES, "file_unreadable"),
    ],
)
def test_a_failing_disk_leaves_nothing_behind(
    tmp_path: Path, outbox: int, monkeypatch: pytest.MonkeyPatch, number: int, code: str
) -> None:
    def fail(_: int) -> None:
        raise OSError(number, "planted")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(Retryable, match=code):
        write_atomic(outbox, "940-1.edi", b"ISA")
    assert _names(tmp_path) == set()
