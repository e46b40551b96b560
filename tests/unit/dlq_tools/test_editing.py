"""A person's own editor: what it leaves behind counts, and nothing does where it fails."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pytest

from canonical.errors import Rejected
from dlq_tools.editing import in_editor


def editor(folder: Path, does: str) -> str:
    """A program that does something with the file that it is given."""
    program = folder / "my editor.py"
    program.write_text(f"import sys, pathlib\npath = pathlib.Path(sys.argv[1])\n{does}\n")
    return shlex.join([sys.executable, str(program)])


@pytest.fixture(autouse=True)
def no_visual(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VISUAL", raising=False)


def test_what_a_person_writes_is_the_document(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    does = "path.write_bytes(path.read_bytes().replace(b'XX', b'EA'))"
    monkeypatch.setenv("EDITOR", editor(tmp_path, does))
    assert in_editor(b"PO1*1*3*XX\r\n\x00") == b"PO1*1*3*EA\r\n\x00"
    monkeypatch.setenv("EDITOR", editor(tmp_path, ""))
    assert in_editor(b"PO1*1*3*XX\r\n") == b"PO1*1*3*XX\r\n"


def test_the_copy_is_for_its_owner_alone_and_is_gone_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = tmp_path / "seen"
    does = f"pathlib.Path({str(seen)!r}).write_text(f'{{path.parent.stat().st_mode:o}} {{path}}')"
    monkeypatch.setenv("EDITOR", editor(tmp_path, does))
    in_editor(b"a partner's data")
    mode, _, place = seen.read_text().partition(" ")
    assert mode == "40700"
    assert not Path(place).parent.exists()


@pytest.mark.parametrize(
    "does", ["sys.exit(3)", "path.unlink()"], ids=["it fails", "it takes the file away"]
)
def test_an_editor_that_fails_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, does: str
) -> None:
    monkeypatch.setenv("EDITOR", editor(tmp_path, does))
    with pytest.raises(Rejected, match="not_confirmed"):
        in_editor(b"x")


@pytest.mark.parametrize("name", ["/no/such/editor", "vi 'unclosed"])
def test_an_editor_that_is_not_there_is_told_with_the_way_out(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("EDITOR", name)
    with pytest.raises(Rejected, match="--patch or --file") as refused:
        in_editor(b"x")
    assert (refused.value.code, refused.value.where) == ("not_confirmed", "EDITOR")
