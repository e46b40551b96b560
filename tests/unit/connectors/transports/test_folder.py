"""The inbox: what is taken, what is left, what is moved aside, on a real file system."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from canonical.errors import Rejected, Retryable
from connectors.transports.folder import (
    Identity,
    InboxFile,
    Scan,
    Watch,
    finish,
    opened,
    read_file,
    scan,
)

WATCH = Watch(stable_seconds=10.0)
AT_ONCE = Watch(stable_seconds=0.0)


@pytest.fixture
def inbox(tmp_path: Path) -> Iterator[int]:
    with opened(tmp_path) as descriptor:
        yield descriptor


def _twice(inbox: int, watch: Watch = WATCH) -> Scan:
    """Two looks, with nothing happening in the time between."""
    return scan(inbox, watch, 100.0, scan(inbox, watch, 90.0, {}).seen)


def _take(inbox: int, name: str, max_bytes: int = 1000) -> InboxFile:
    seen = scan(inbox, AT_ONCE, 0.0, {}).seen[name]
    return read_file(inbox, name, seen.identity, max_bytes)


def _names(folder: Path) -> set[str]:
    return {entry.name for entry in folder.iterdir()}


def test_a_file_is_ready_once_it_has_stood_still(tmp_path: Path, inbox: int) -> None:
    (tmp_path / "po.edi").write_bytes(b"ISA")
    first = scan(inbox, WATCH, 100.0, {})
    early = scan(inbox, WATCH, 109.9, first.seen)
    late = scan(inbox, WATCH, 110.0, early.seen)
    assert (first.ready, early.ready, late.ready) == ((), (), ("po.edi",))


def test_a_file_that_still_grows_starts_its_wait_again(tmp_path: Path, inbox: int) -> None:
    (tmp_path / "po.edi").write_bytes(b"ISA")
    first = scan(inbox, WATCH, 100.0, {})
    (tmp_path / "po.edi").write_bytes(b"ISA*00")
    grown = scan(inbox, WATCH, 110.0, first.seen)
    assert grown.ready == ()
    assert scan(inbox, WATCH, 120.0, grown.seen).ready == ("po.edi",)


def test_other_bytes_of_the_same_length_start_the_wait_again(tmp_path: Path, inbox: int) -> None:
    file = tmp_path / "po.edi"
    file.write_bytes(b"one")
    first = scan(inbox, WATCH, 100.0, {})
    file.write_bytes(b"two")
    os.utime(file, ns=(1, 1))
    assert scan(inbox, WATCH, 110.0, first.seen).ready == ()


def test_another_file_under_the_same_name_starts_the_wait_again(tmp_path: Path, inbox: int) -> None:
    file = tmp_path / "po.edi"
    file.write_bytes(b"one")
    first = scan(inbox, WATCH, 100.0, {})
    other = tmp_path / "x.tmp"
    other.write_bytes(b"two")
    os.utime(other, ns=(file.stat().st_atime_ns, file.stat().st_mtime_ns))
    other.rename(file)
    assert scan(inbox, WATCH, 110.0, first.seen).ready == ()


def test_hidden_unfinished_and_other_names_and_folders_are_passed_over(
    tmp_path: Path, inbox: int
) -> None:
    for name in (".po.edi", "po.edi.tmp", "po.PART", "po.edi.filepart", "notes.txt"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "done.edi").mkdir()
    (tmp_path / "po.edi").write_bytes(b"x")
    found = _twice(inbox, Watch("*.edi", 10.0))
    assert found.ready == ("po.edi",)
    assert found.refusals == ()
    assert set(found.seen) == {"po.edi"}


def test_the_oldest_files_come_first_and_one_scan_has_a_limit(tmp_path: Path, inbox: int) -> None:
    for age, name in enumerate(["c", "a", "b"]):
        (tmp_path / name).write_bytes(b"x")
        os.utime(tmp_path / name, ns=(age, age))
    assert _twice(inbox, Watch(stable_seconds=1.0, limit=2)).ready == ("c", "a")


def test_what_is_not_a_regular_file_is_refused_once_and_moved_not_followed(
    tmp_path: Path, inbox: int
) -> None:
    secret = tmp_path / "elsewhere" / "secret"
    secret.parent.mkdir()
    secret.write_bytes(b"secret")
    (tmp_path / "link").symlink_to(secret)
    os.mkfifo(tmp_path / "fifo")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
    first = scan(inbox, AT_ONCE, 1.0, {})
    again = scan(inbox, AT_ONCE, 2.0, first.seen)
    assert {(name, error.code) for name, error in first.refusals} == {
        (name, "not_a_regular_file") for name in ("link", "fifo", "socket")
    }
    assert (first.ready, again.ready, again.refusals) == ((), (), ())
    for name, error in first.refusals:
        finish(inbox, name, "failed", str(error))
    assert _names(tmp_path) == {"elsewhere", "failed"}
    assert (tmp_path / "failed" / "link").is_symlink()
    assert (tmp_path / "failed" / "link.error.txt").read_text().startswith("not_a_regular_file")
    assert secret.read_bytes() == b"secret"


@pytest.mark.parametrize("name", [b"a\nb", b"a\x1b[2Jb", b"\xff\xfe.edi"])
def test_a_name_that_cannot_be_printed_is_refused_and_moved_under_a_safe_one(
    tmp_path: Path, inbox: int, name: bytes
) -> None:
    Path(os.fsdecode(bytes(tmp_path) + b"/" + name)).write_bytes(b"x")
    ((raw, error),) = scan(inbox, AT_ONCE, 1.0, {}).refusals
    assert error.code == "name_unsafe"
    moved = finish(inbox, raw, "failed", str(error))
    assert moved.isascii()
    assert moved.isprintable()
    assert (tmp_path / "failed" / moved).read_bytes() == b"x"


@pytest.mark.parametrize("name", ["../po.edi", "/etc/passwd", "..", ".", "", "a/b", "a\0b"])
def test_a_path_is_never_a_name(tmp_path: Path, inbox: int, name: str) -> None:
    (tmp_path.parent / "po.edi").write_bytes(b"x")
    with pytest.raises(Rejected, match="name_unsafe"):
        read_file(inbox, name, Identity(1, 1, 1), 10)
    with pytest.raises(Rejected, match="name_unsafe"):
        finish(inbox, name, "done")


@pytest.mark.parametrize("name", ["a.>.*", "a b.edi", "PO#1.edi", "\u00e9.edi", "-rf", "x" * 250])
def test_odd_names_are_read_like_any_other(tmp_path: Path, inbox: int, name: str) -> None:
    (tmp_path / name).write_bytes(b"ISA")
    assert _twice(inbox).ready == (name,)
    taken = _take(inbox, name)
    assert taken.body == b"ISA"
    moved = finish(inbox, name, "done", expect=taken.identity)
    assert _names(tmp_path / "done") == {moved}
    assert len(moved) <= 120


def test_a_link_put_in_place_after_the_scan_is_not_followed(tmp_path: Path, inbox: int) -> None:
    (tmp_path / "po.edi").write_bytes(b"x")
    seen = scan(inbox, AT_ONCE, 1.0, {}).seen["po.edi"]
    (tmp_path / "po.edi").unlink()
    (tmp_path / "po.edi").symlink_to("/etc/passwd")
    with pytest.raises(Rejected, match="not_a_regular_file"):
        read_file(inbox, "po.edi", seen.identity, 10)


def test_a_fifo_put_in_place_after_the_scan_does_not_block(tmp_path: Path, inbox: int) -> None:
    os.mkfifo(tmp_path / "po.edi")
    with pytest.raises(Rejected, match="not_a_regular_file"):
        read_file(inbox, "po.edi", Identity(1, 1, 1), 10)


def test_a_file_over_the_cap_and_an_empty_one_are_refused(tmp_path: Path, inbox: int) -> None:
    (tmp_path / "big").write_bytes(b"x" * 1001)
    (tmp_path / "empty").touch()
    with pytest.raises(Rejected, match="file_too_large at big"):
        _take(inbox, "big")
    with pytest.raises(Rejected, match="file_empty at empty"):
        _take(inbox, "empty")
    assert len(_take(inbox, "big", 1001).body) == 1001


def test_a_file_that_changed_after_the_scan_is_left_for_the_next(
    tmp_path: Path, inbox: int
) -> None:
    (tmp_path / "po.edi").write_bytes(b"ISA")
    seen = scan(inbox, AT_ONCE, 1.0, {}).seen["po.edi"]
    (tmp_path / "po.edi").write_bytes(b"ISA*00")
    with pytest.raises(Retryable, match="file_changed"):
        read_file(inbox, "po.edi", seen.identity, 100)


def test_a_file_that_is_gone_is_somebody_elses(inbox: int) -> None:
    with pytest.raises(Retryable, match="file_gone"):
        read_file(inbox, "po.edi", Identity(1, 1, 1), 10)
    with pytest.raises(Retryable, match="file_gone"):
        finish(inbox, "po.edi", "done")


@pytest.mark.skipif(
    os.geteuid() != 0, reason="only root can put its rights away and take them back"
)
def test_a_file_without_permission_is_tried_again_later(tmp_path: Path, inbox: int) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "po.edi").write_bytes(b"x")
    (tmp_path / "po.edi").chmod(0o600)
    identity = scan(inbox, AT_ONCE, 1.0, {}).seen["po.edi"].identity
    os.seteuid(65534)
    try:
        with pytest.raises(Retryable, match="file_unreadable"):
            read_file(inbox, "po.edi", identity, 10)
    finally:
        os.seteuid(0)


def test_a_folder_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    with (
        pytest.raises(Retryable, match="folder_unavailable at missing: ENOENT"),
        opened(tmp_path / "missing"),
    ):
        raise AssertionError


def test_the_delivery_id_knows_name_and_content_the_acceptance_id_this_very_file(
    tmp_path: Path, inbox: int
) -> None:
    file = tmp_path / "po.edi"
    file.write_bytes(b"ISA")
    first = _take(inbox, "po.edi")
    assert _take(inbox, "po.edi").acceptance_id("acme") == first.acceptance_id("acme")
    assert first.acceptance_id("acme") != first.acceptance_id("other")
    finish(inbox, "po.edi", "done", expect=first.identity)
    file.write_bytes(b"ISA")
    again = _take(inbox, "po.edi")
    assert again.delivery_id == first.delivery_id
    assert again.acceptance_id("acme") != first.acceptance_id("acme")
    file.write_bytes(b"IEA")
    assert _take(inbox, "po.edi").delivery_id != first.delivery_id


def test_a_finished_file_never_covers_another(tmp_path: Path, inbox: int) -> None:
    for content in (b"one", b"two", b"three"):
        (tmp_path / "po.edi").write_bytes(content)
        taken = _take(inbox, "po.edi")
        assert finish(inbox, "po.edi", "done", expect=taken.identity).endswith(".edi")
    done = [entry.read_bytes() for entry in (tmp_path / "done").iterdir()]
    assert sorted(done) == [b"one", b"three", b"two"]


def test_a_failed_file_says_why_beside_it(tmp_path: Path, inbox: int) -> None:
    (tmp_path / "po.edi").write_bytes(b"x")
    (tmp_path / "failed").mkdir()
    (tmp_path / "failed" / "po.edi.error.txt").write_text("the partner's own")
    finish(inbox, "po.edi", "failed", "isa_too_short at byte 0")
    notes = {entry.read_text() for entry in (tmp_path / "failed").glob("po.edi.error*.txt")}
    assert notes == {"the partner's own", "isa_too_short at byte 0"}
    assert _names(tmp_path) == {"failed"}


def test_a_file_that_changed_after_it_was_read_stays_in_the_inbox(
    tmp_path: Path, inbox: int
) -> None:
    (tmp_path / "po.edi").write_bytes(b"one")
    taken = _take(inbox, "po.edi")
    (tmp_path / "po.edi").write_bytes(b"another order")
    with pytest.raises(Retryable, match="file_changed"):
        finish(inbox, "po.edi", "done", expect=taken.identity)
    assert (tmp_path / "po.edi").read_bytes() == b"another order"


def test_a_file_that_is_swapped_in_the_moment_of_the_move_comes_back(
    tmp_path: Path, inbox: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "po.edi").write_bytes(b"one")
    taken = _take(inbox, "po.edi")
    rename = os.rename
    swaps = [b"another order"]

    def swap_first(src: str, dst: str, *, src_dir_fd: int, dst_dir_fd: int) -> None:
        if swaps:
            (tmp_path / "po.edi").write_bytes(swaps.pop())
        rename(src, dst, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)

    monkeypatch.setattr(os, "rename", swap_first)
    with pytest.raises(Retryable, match="file_changed"):
        finish(inbox, "po.edi", "done", expect=taken.identity)
    assert (tmp_path / "po.edi").read_bytes() == b"another order"
    assert _names(tmp_path / "done") == set()


@pytest.mark.parametrize("kind", ["file", "link"])
def test_a_subfolder_that_is_none_is_not_followed(tmp_path: Path, inbox: int, kind: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (tmp_path / "po.edi").write_bytes(b"x")
    if kind == "link":
        (tmp_path / "done").symlink_to(outside)
    else:
        (tmp_path / "done").touch()
    with pytest.raises(Retryable, match="folder_unavailable at done"):
        finish(inbox, "po.edi", "done")
    assert (tmp_path / "po.edi").exists()
    assert _names(outside) == set()


def test_a_move_that_fails_leaves_no_placeholder(
    tmp_path: Path, inbox: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, "planted")

    (tmp_path / "po.edi").write_bytes(b"x")
    monkeypatch.setattr(os, "rename", fail)
    with pytest.raises(Retryable, match="folder_unavailable"):
        finish(inbox, "po.edi", "done")
    assert (tmp_path / "po.edi").exists()
    assert _names(tmp_path / "done") == set()
