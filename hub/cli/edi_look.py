"""`crossdock edi parse|validate|ack|render|diff`: files that somebody has, without any ledger.

Who names a file himself sees what stands in it; `--hide-values` leaves it out, for tickets.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from pydantic import ValidationError

from canonical.errors import ConfigError, Rejected
from connectors.base import ConnectorConfig
from connectors.inspectors import INSPECTORS
from connectors.registry import CONNECTORS
from hub.cli.desk import ConfigOption, default_config
from hub.cli.edi_json import block, line
from hub.cli.edi_tree import tree, verdict_lines
from hub.cli.exits import Exit, said
from hub.cli.output import Output, OutputOption, printable
from hub.clock import SystemClock
from hub.edi.answers import Answered, answers
from hub.edi.compare import compared
from hub.edi.files import Judge, found, looking, unread
from hub.edi.looked import Looked
from hub.edi.papers import papers, shelved
from hub.edi.readable import changes, page
from hub.settings.loader import load
from hub.settings.model import Connection

Paths = Annotated[
    list[Path], typer.Argument(exists=True, help="Files of X12 or EDIFACT, or folders of them.")
]
OneFile = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A file.")]
Tolerant = Annotated[
    bool, typer.Option("--tolerant", help="Judge as `strictness: tolerant` does, not as strict.")
]
PartnerOption = Annotated[
    str | None, typer.Option(help="Judge by what was agreed with this partner of the site.")
]
ConnectionOption = Annotated[
    str | None, typer.Option(help="By this connection, where the partner has several.")
]
HideValues = Annotated[
    bool, typer.Option("--hide-values", help="Leave out what stands in the file.")
]
Bodies = Annotated[bool, typer.Option("--bodies", help="The documents too, in JSON Lines.")]


class Functional(StrEnum):
    """What X12 groups are answered with."""

    F997 = "997"
    F999 = "999"


def parse(
    files: Paths,
    tolerant: Tolerant = False,  # noqa: FBT002  # an option
    bodies: Bodies = False,  # noqa: FBT002  # an option
    output: OutputOption = Output.TABLE,
) -> None:
    """Show what files hold: a tree or JSON; for many files JSON Lines, one object a file."""
    judge = Judge(tolerant)
    with said():
        if len(files) == 1 and files[0].is_file():
            with looking(files[0], judge) as looked:
                if output is Output.JSON:
                    _print(block(looked))
                else:
                    _print_lines(tree(looked))
                results = [looked.ok]
        else:
            results = []
            for each in _each(files, replace(judge, bodies=bodies)):
                _print(line(each))
                results.append(each.ok)
    _ended(results)


def validate(
    files: Paths,
    partner: PartnerOption = None,
    connection: ConnectionOption = None,
    tolerant: Tolerant = False,  # noqa: FBT002  # an option
    hide_values: HideValues = False,  # noqa: FBT002  # an option
    config: ConfigOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Check files at all levels and name every error: where, by which rule, what was expected."""
    with said():
        agreed = _agreed(config, partner, connection)
        judge = Judge(tolerant, bodies=False, configs=agreed, hidden=hide_values)
        results = []
        alone = len(files) == 1 and files[0].is_file()
        for each in _each(files, judge):
            looked = replace(each, vouched=True)
            if output is Output.JSON:
                _print(block(looked) if alone else line(looked))
            else:
                _print_lines(verdict_lines(looked))
            results.append(looked.ok)
    _ended(results)


def ack(
    file: OneFile,
    partner: PartnerOption = None,
    connection: ConnectionOption = None,
    functional: Annotated[
        Functional, typer.Option("--with", help="Without a partner: 997 or 999.")
    ] = Functional.F997,
    tolerant: Tolerant = False,  # noqa: FBT002  # an option
    config: ConfigOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show what the hub would answer: 997, 999, TA1, 824, CONTRL, APERAK; sends nothing.

    Control numbers count from 1 here; the hub's own come from its ledger.
    """
    refused: set[str] = set()
    with said():
        judge = Judge(configs=_agreed(config, partner, connection))

        def asking(system: str) -> tuple[ConnectorConfig | None, dict[str, Any]]:
            strictness = "tolerant" if tolerant else "strict"
            asked = {"strictness": strictness, "line_breaks": True}
            if system == "x12":
                asked |= {"acknowledge": functional.value, "interchange_acknowledge": "errors"}
            return judge.config(system), asked

        owed = answers(file, asking, SystemClock().now(), refused)
        count = _print_answers(owed, output)
    if not count:
        why = f": {', '.join(sorted(refused))}" if refused else ""
        typer.echo(f"no answer is owed{why}", err=True)
        raise typer.Exit(Exit.NOTHING_MATCHED)


def _print_answers(owed: Iterable[Answered], output: Output) -> int:
    """Print answers as they come; how many there were."""
    told = _Counted(
        {"answer": each.flow, "to": each.interchange, "edi": each.wire.decode("latin-1")}
        for each in owed
    )
    if output is Output.JSON:
        _print_array(told)
        return told.count
    for each in told:
        sys.stdout.write(printable(each["edi"], keep="\r\n").rstrip() + "\n")
    return told.count


def _print_array(values: Iterable[dict[str, Any]]) -> None:
    """Print a JSON array value by value, however many there are."""
    before = "["
    for each in values:
        text = orjson.dumps(each, option=orjson.OPT_INDENT_2).decode().replace("\n", "\n  ")
        sys.stdout.write(f"{before}\n  {text}")
        before = ","
    sys.stdout.write("[]\n" if before == "[" else "\n]\n")


def render(
    files: Paths,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show documents as a person reads them: parties, dates, lines, totals; of every known set."""
    count = 0
    with said():
        for path in found(files):
            for each in papers(path):
                count += 1
                if output is Output.JSON:
                    told = {"file": str(path), **each.as_json()}
                    sys.stdout.write(orjson.dumps(told).decode() + "\n")
                else:
                    _print_lines([*page(each), ""])
    if not count:
        typer.echo("no document that a guide exists for", err=True)
        raise typer.Exit(Exit.NOTHING_MATCHED)


def diff(
    before: OneFile,
    after: OneFile,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show what changed between two versions of a document; exit 1 where anything did."""
    with said(), shelved(before) as old, shelved(after) as new:
        if not old.heads or not new.heads:
            lacks = before if not old.heads else after
            raise Rejected("document_unknown", lacks.name, "no document that a guide exists for")
        differences = _Counted(each.as_json() for each in compared(old, new))
        if output is Output.JSON:
            _print_array(differences)
        else:
            _print_lines(changes(differences))
    if differences.count:
        raise typer.Exit(Exit.FAILURE)


class _Counted:
    """Values that are counted while they are taken."""

    def __init__(self, values: Iterable[dict[str, Any]]) -> None:
        self._values = values
        self.count = 0

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for each in self._values:
            self.count += 1
            yield each


def _each(files: list[Path], judge: Judge) -> Iterator[Looked]:
    for path in found(files):
        try:
            with looking(path, judge) as looked:
                yield looked
        except OSError as error:
            yield unread(path, "file_unreadable", f"cannot be read ({type(error).__name__})")


def _agreed(
    config: Path | None, partner: str | None, connection: str | None
) -> tuple[tuple[str, ConnectorConfig], ...]:
    """The connections of a partner that speak EDI, the one that was named alone.

    Raises:
        Rejected: ``partner_unknown``, ``connection_unknown``: the site has none that speaks EDI.
        ConfigError: ``config_missing``, ``options_invalid``.
    """
    if partner is None and connection is None:
        return ()
    path = config or default_config()
    if path is None or not path.is_file():
        raise ConfigError("config_missing", str(path or ""), "give --config FILE")
    chosen = []
    # Its secrets may be elsewhere, and what else is wrong with it is none of this file's business.
    for name, each in load(path).site.connections.items():
        wanted = connection in (None, name) and partner in (None, each.partner)
        if wanted and each.system in INSPECTORS:
            chosen.append((each.system, _options(name, each)))
    if not chosen and connection is not None:
        raise Rejected("connection_unknown", connection, "no connection of this name speaks EDI")
    if not chosen:
        raise Rejected("partner_unknown", partner or "", "no connection of it speaks EDI")
    return tuple(chosen)


def _options(name: str, connection: Connection) -> ConnectorConfig:
    model = CONNECTORS[connection.system].config
    try:
        return model.model_validate(connection.options)
    except ValidationError:
        where = f"connections.{name}.options"
        detail = "crossdock config check names every mistake"
        raise ConfigError("options_invalid", where, detail) from None


def _ended(results: list[bool]) -> None:
    """End with what became of all files."""
    if not results:
        raise typer.Exit(Exit.NOTHING_MATCHED)
    if all(results):
        return
    raise typer.Exit(Exit.PARTLY_DONE if any(results) else Exit.FAILURE)


def _print(text: Iterator[str]) -> None:
    sys.stdout.writelines(text)


def _print_lines(lines: Iterator[str] | list[str]) -> None:
    for each in lines:
        sys.stdout.write(printable(each) + "\n")
