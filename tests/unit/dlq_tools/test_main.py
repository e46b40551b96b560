"""The whole command line, and what it costs to start."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest
import typer

from dlq_tools.main import build
from hub.cli.lazy import LazyGroup

HEAVY = ("alembic", "asyncssh", "fastapi", "hub.app", "hub.workers.pool", "redis")
ASK = """
import sys
sys.argv = ["crossdock", *{arguments!r}]
try:
    import dlq_tools.main
    dlq_tools.main.main()
except SystemExit:
    pass
print(*(name for name in {names!r} if name in sys.modules), file=sys.stderr)
"""


def imported(names: tuple[str, ...], *arguments: str) -> list[str]:
    """Which of these modules a call of the program imports."""
    program = ASK.format(arguments=arguments, names=names)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return done.stderr.splitlines()[-1].split()


def groups() -> Iterator[LazyGroup]:
    """Every group that imports its commands when they run."""
    told = typer.main.get_command(build())
    assert isinstance(told, LazyGroup)
    dlq = told.load("dlq")
    assert isinstance(dlq, LazyGroup)
    yield from (told, dlq)


def test_the_hubs_commands_and_dlq_are_one_command_line() -> None:
    told, dlq = groups()
    assert {"run", "trace", "hold", "dlq", "reconcile", "map"} <= told.commands.keys()
    assert {"list", "plan", "replay"} <= dlq.commands.keys()


def test_the_help_of_a_group_says_what_its_commands_say() -> None:
    for each in groups():
        for name, command in each.loaded().items():
            own = " ".join((command.help or "").partition("\n\n")[0].split())
            assert each.entries[name].help == own, name


@pytest.mark.parametrize("word", ["--help", "nonsense"])
def test_help_and_a_mistyped_word_need_no_part_of_the_hub(word: str) -> None:
    assert imported((*HEAVY, "canonical", "sqlalchemy"), word) == []


@pytest.mark.parametrize("words", [("dlq", "list"), ("documents",), ("hold", "ls")], ids=" ".join)
def test_a_listing_needs_neither_the_web_nor_the_hub_itself(words: tuple[str, ...]) -> None:
    assert imported(HEAVY, *words, "--config", "not-there.yaml") == []
