"""What the tests of the embedded servers share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from hub.servers import processes, state
from hub.servers.state import ProcessMark

Running = Callable[[Path], dict[str, psutil.Process]]


def _running(data_dir: Path) -> dict[str, psutil.Process]:
    known = state.read(data_dir)
    marks: dict[str, ProcessMark] = known.processes if known else {}
    found = {name: processes.find(mark) for name, mark in marks.items()}
    return {name: process for name, process in found.items() if process is not None}


@pytest.fixture
def running() -> Running:
    """Which embedded servers of a data folder run now."""
    return _running
