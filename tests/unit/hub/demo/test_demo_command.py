"""`crossdock demo`: what it refuses, and what it says then."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from hub.cli.exits import Exit
from hub.cli.main import build


def test_a_demo_is_kept_or_stopped_and_not_both(tmp_path: Path) -> None:
    words = ["demo", "--keep", "--stop", "--folder", str(tmp_path / "demo")]
    assert CliRunner().invoke(build(), words).exit_code == Exit.USAGE


def test_a_demo_that_is_refused_does_not_say_that_it_starts(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("kept")
    result = CliRunner().invoke(build(), ["demo", "--folder", str(tmp_path)])
    assert result.exit_code == Exit.FAILURE
    assert result.output.startswith("folder_in_use")
    assert (tmp_path / "mine.txt").read_text() == "kept"
