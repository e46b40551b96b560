"""The command `crossdock`: the hub's own commands and, around them, `dlq`."""

from __future__ import annotations

import typer

from dlq_tools import commands
from hub.cli import main as hub_cli


def build() -> typer.Typer:
    """Return the whole command line."""
    app = hub_cli.build()
    app.add_typer(commands.app, name="dlq")
    return app


def main() -> None:
    """Run it; the console script of the distribution."""
    build()()


if __name__ == "__main__":
    main()
