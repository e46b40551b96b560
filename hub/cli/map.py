"""``crossdock map``: prove, try and check mappings.

Exit codes: 0 ok, 1 a case failed or a mapping is faulty, 2 usage or unreadable files, 3 nothing
matched.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from canonical.errors import ConfigError, HubError
from hub.cli.map_trial import Trial, try_mapping
from hub.mapping.cases import ENGINES, Outcome, read_cases, run_case
from hub.mapping.engine import check_engines
from hub.mapping.files import MappingFile, mapping_files, read_mapping, shipped_mappings
from hub.mapping.lint.check import lint_mapping
from hub.mapping.lint.finding import Finding

FAILED, USAGE, NOTHING = 1, 2, 3

app = typer.Typer(help="Prove, try and check mappings.", no_args_is_help=True)


class Output(StrEnum):
    """How results are shown."""

    TABLE = "table"
    JSON = "json"


Paths = Annotated[
    list[Path] | None,
    typer.Argument(
        help="Mappings, cases or folders; all shipped mappings if left out.",
        exists=True,
        show_default=False,
    ),
]
Form = Annotated[Output, typer.Option("--output", help="How to show results.")]


@app.command("test")
def prove_command(paths: Paths = None, output: Form = Output.TABLE) -> None:
    """Run the worked cases on both engines."""
    check_engines()
    outcomes: list[Outcome] = []
    with _usage_errors():
        for file, wanted in _selected(paths):
            for case in read_cases(file):
                if wanted is None or case.path == wanted:
                    outcomes.extend(run_case(file, case))
    rows = [
        {
            "case": "/".join(outcome.case.path.parts[-3:]),
            "engine": outcome.engine,
            "passed": not outcome.problems,
            "problems": list(outcome.problems),
        }
        for outcome in outcomes
    ]
    failed = [row for row in rows if not row["passed"]]
    _show(rows if output is Output.JSON else failed, output, ("case", "engine", "problems"))
    if output is Output.TABLE and rows:
        cases = len({row["case"] for row in rows})
        Console().print(f"{cases} cases on {len(ENGINES)} engines, {len(failed)} failed")
    _finish(found=bool(rows), good=not failed)


@app.command("lint")
def lint_command(paths: Paths = None, output: Form = Output.TABLE) -> None:
    """Find what is wrong in mappings without running them; warnings do not fail."""
    findings: list[Finding] = []
    count = 0
    with _usage_errors():
        for file, _ in _selected(paths):
            count += 1
            findings.extend(lint_mapping(file))
    rows = [{"place": each.place, "rule": each.rule, "message": each.message} for each in findings]
    _show(rows, output, ("place", "rule", "message"))
    if output is Output.TABLE and count:
        errors = sum(each.is_error for each in findings)
        Console().print(f"{count} mappings, {errors} errors, {len(rows) - errors} warnings")
    _finish(found=count > 0, good=not any(each.is_error for each in findings))


@app.command("run")
def run_command(
    system: Annotated[str, typer.Argument(help="Folder of the mapping, such as x12.")],
    flow: Annotated[str, typer.Argument(help="Flow, such as 850.")],
    entity: Annotated[str, typer.Argument(help="Entity, such as order.")],
    file: Annotated[Path, typer.Argument(help="What to map, or - for standard input.")],
    connection: Annotated[
        str | None,
        typer.Option(help="Read FILE as this connection's codec does, with its bindings."),
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="The site's YAML, where --connection is given.")
    ] = None,
    output: Form = Output.TABLE,
) -> None:
    """Show what one mapping makes of FILE: JSON, a worked case, or with --connection raw bytes."""
    with _usage_errors():
        data = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
        trial = Trial(system, flow, entity, data, connection, config)
        results = [*try_mapping(trial)]
    for result in results:
        if isinstance(result, HubError):
            _error(result, output)
        else:
            typer.echo(json.dumps(result, indent=2, ensure_ascii=False))
    _finish(found=bool(results), good=not any(isinstance(r, HubError) for r in results))


def _selected(paths: Sequence[Path] | None) -> Iterable[tuple[MappingFile, Path | None]]:
    """The mappings that the paths mean, each with the one case that was asked for, if any."""
    for path in paths or [shipped_mappings()]:
        if path.is_dir() and path.suffix != ".cases":
            root = path if next(path.glob("*/*.jsonata"), None) else path.parent
            for file in mapping_files(root):
                if path in (root, file.path.parent):
                    yield file, None
        else:
            yield _one(path)


def _one(path: Path) -> tuple[MappingFile, Path | None]:
    case = path if path.suffix == ".json" else None
    cases = path.parent if case else path
    mapping = cases.with_suffix(".jsonata") if cases.suffix == ".cases" else path
    return read_mapping(mapping, mapping.parents[1]), case


@contextmanager
def _usage_errors() -> Iterator[None]:
    """Say what is wrong with the files themselves, and end with the code for wrong usage."""
    try:
        yield
    except (ConfigError, OSError) as error:
        Console(stderr=True).print(f"[red]{escape(str(error))}")
        raise typer.Exit(USAGE) from None


def _finish(*, found: bool, good: bool) -> None:
    if not found:
        Console(stderr=True).print("nothing matched")
        raise typer.Exit(NOTHING)
    if not good:
        raise typer.Exit(FAILED)


def _error(error: HubError, output: Output) -> None:
    if output is Output.JSON:
        shown = {"code": error.code, "where": error.where, "detail": error.detail}
        typer.echo(json.dumps({"error": shown}))
    else:
        Console().print(f"[red]{escape(str(error))}", soft_wrap=True)


def _show(rows: list[dict[str, Any]], output: Output, columns: Sequence[str]) -> None:
    if output is Output.JSON:
        typer.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    table = Table(*(Column(name, overflow="fold") for name in columns))
    for row in rows:
        table.add_row(*(_cell(row[column]) for column in columns))
    if rows:
        Console().print(table)


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return "\n".join(escape(str(each)) for each in value)
    return escape(str(value))
