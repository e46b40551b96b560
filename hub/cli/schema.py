"""`crossdock schema`: what the hub publishes, for machines."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hub import schema

app = typer.Typer(help="JSON Schema and AsyncAPI of what the hub publishes.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keep `schema` a group although it has one command so far."""


@app.command("export")
def export(
    folder: Annotated[Path, typer.Argument(help="Where to write; made if missing.")] = Path(
        "schema"
    ),
) -> None:
    """Write the JSON Schema of every canonical document and the AsyncAPI document."""
    for path in schema.write(folder):
        typer.echo(str(path))
