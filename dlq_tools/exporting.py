"""`crossdock dlq export`: letters as JSON lines or CSV, for other tools."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, TextIO

import typer

from canonical.errors import Rejected
from dlq_tools.options import allowed, choosing
from hub.cli.desk import ConfigOption, desk
from hub.cli.exits import Exit, run
from hub.dead_letters.export import Form, export
from hub.dead_letters.filters import Filters


@choosing
def export_letters(
    chosen: Filters,
    *,
    config: ConfigOption = None,
    form: Annotated[Form, typer.Option("--format", help="jsonl or csv.")] = Form.JSONL,
    to: Annotated[
        Path | None, typer.Option(help="A new file; without it, standard output.")
    ] = None,
) -> None:
    """Write letters as JSON lines or CSV: ids, causes, counts and money, never a document.

    Cells that a spreadsheet would take for a formula are made text.
    """

    async def work() -> int:
        async with desk(config) as at:
            allowed(at.site, "operator")
            lines = 0
            with ExitStack() as stack:
                file = _opened(to, stack)
                async with at.engine.connect() as ledger:
                    async for text in export(ledger, chosen, form):
                        file.write(text)
                        lines += 1
            return lines - (form is Form.CSV)

    if not run(work()):
        typer.echo("no dead letter matches", err=True)
        raise typer.Exit(Exit.NOTHING_MATCHED)


def _opened(to: Path | None, stack: ExitStack) -> TextIO:
    if to is None:
        return sys.stdout
    try:
        return stack.enter_context(to.open("x", encoding="utf-8", newline=""))
    except FileExistsError:
        raise Rejected("file_unwritable", to.name, "it is there already") from None
    except OSError as error:
        raise Rejected("file_unwritable", to.name, f"{type(error).__name__}") from None
