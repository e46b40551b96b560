"""The whole command line."""

from __future__ import annotations

import typer

from dlq_tools.main import build


def test_the_hubs_commands_and_dlq_are_one_command_line() -> None:
    told = typer.main.get_command(build())
    assert isinstance(told, typer.core.TyperGroup)
    assert {"run", "trace", "hold", "dlq", "reconcile", "map"} <= told.commands.keys()
