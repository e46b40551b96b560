"""Failpoints: off by default, deadly when armed, at the passing that was named."""

from __future__ import annotations

import re
import signal

import pytest

from canonical.errors import ConfigError
from hub import failpoints
from hub.failpoints import VARIABLE, parse, reached
from tests.support.processes import ROOT, Spawner

THREE_ROUNDS = """
from hub.failpoints import reached
for _ in range(3):
    reached("deliver.claimed")
    reached("deliver.settled")
"""


def test_unarmed_it_does_nothing() -> None:
    reached("deliver.claimed")


@pytest.mark.parametrize(
    ("armed", "dies"),
    [
        ("", False),
        ("deliver.claimed", True),
        ("deliver.claimed:3", True),
        ("deliver.claimed:4", False),
        ("deliver.before_call", False),
        ("deliver.before_call,deliver.settled:2", True),
    ],
)
def test_a_process_dies_at_the_named_passing(spawn: Spawner, armed: str, dies: bool) -> None:  # noqa: FBT001  # a table's column
    process = spawn.python(["-c", THREE_ROUNDS], env={VARIABLE: armed})
    assert process.wait(30) == (-signal.SIGKILL if dies else 0)


@pytest.mark.parametrize("text", ["a:0", "a:x", "a:-1", "a:1:2"])
def test_an_unreadable_count_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="failpoint_unreadable"):
        parse(text)


def test_names_and_counts_are_read() -> None:
    assert parse(" a , b:3 ,, ") == {"a": 1, "b": 3}


def test_the_documented_failpoints_are_the_ones_in_the_code() -> None:
    documented = set(re.findall(r"``([a-z]+\.[a-z_]+)``", failpoints.__doc__ or ""))
    sources = [path.read_text() for path in (ROOT / "hub").rglob("*.py")]
    placed = {name for text in sources for name in re.findall(r'reached\("([^"]+)"\)', text)}
    assert placed == documented
