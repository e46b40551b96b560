"""The command `crossdock`: the hub's own commands and, around them, `dlq`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import typer

from hub.cli import main as hub_cli
from hub.cli.lazy import Entry, LazyGroup


class Commands(LazyGroup):
    """The whole command line."""

    entries: ClassVar[Mapping[str, Entry]] = {
        **hub_cli.HubCommands.entries,
        "dlq": Entry(
            "dlq_tools.commands:app",
            "Dead letters: count, list, show, plan, edit, replay, archive, restore, purge, export.",
        ),
    }


def build() -> typer.Typer:
    """Return the whole command line."""
    return hub_cli.build(Commands)


def main() -> None:
    """Run it; the console script of the distribution."""
    build()()


if __name__ == "__main__":
    main()
