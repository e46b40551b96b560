"""A file that is there already is not written over, and that is said."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from canonical.errors import Rejected
from dlq_tools.exporting import _opened


def test_a_file_that_is_there_is_left_and_named(tmp_path: Path) -> None:
    path = tmp_path / "letters.csv"
    path.write_text("kept")
    with ExitStack() as stack, pytest.raises(Rejected) as refused:
        _opened(path, stack)
    assert str(refused.value) == "file_unwritable at letters.csv: it is there already"
    assert path.read_text() == "kept"
