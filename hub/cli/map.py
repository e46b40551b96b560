"""``crossdock map``: prove, try and check mappings."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from canonical.errors import HubError
from connectors.fields import Options
from hub.cli import map_changes
from hub.cli.desk import ConfigOption, site_of
from hub.cli.exits import Exit, said
from hub.cli.map_trial import Trial, try_mapping
from hub.cli.output import Output, OutputOption, console, print_json, print_rows
from hub.mapping.cases import ENGINES, Outcome, read_cases, run_case
from hub.mapping.coverage import coverage
from hub.mapping.engine import check_engines
from hub.mapping.files import MappingFile, mapping_files, read_mapping, shipped_mappings
from hub.mapping.lint.check import lint_mapping
from hub.mapping.lint.finding import Finding
from hub.mapping.lint.known import source_fields, sources
from hub.mapping_changes.promotion import agreed_options
from hub.settings.model import Site

app = typer.Typer(help="Prove, try and check mappings.", no_args_is_help=True)

app.command("diff")(map_changes.diff_command)
app.command("promote")(map_changes.promote_command)

Row = dict[str, object]
_COLUMNS = ("case", "engine", "problems")

Paths = Annotated[
    list[Path] | None,
    typer.Argument(
        help="Mappings, cases or folders; all shipped mappings if left out.",
        exists=True,
        show_default=False,
    ),
]


@app.command("test")
def prove_command(paths: Paths = None, output: OutputOption = Output.TABLE) -> None:
    """Run the worked cases on both engines."""
    outcomes: list[Outcome] = []
    with said():
        check_engines()
        for file, wanted in _selected(paths):
            for case in read_cases(file):
                if wanted is None or case.path == wanted:
                    outcomes.extend(run_case(file, case))
    failed = [outcome for outcome in outcomes if outcome.problems]
    if output is Output.JSON:
        print_json([_row(outcome) for outcome in outcomes])
    elif outcomes:
        _table([_row(each) | {"problems": "\n".join(each.problems)} for each in failed], _COLUMNS)
        cases = len({outcome.case.path for outcome in outcomes})
        console().print(f"{cases} cases on {len(ENGINES)} engines, {len(failed)} failed")
    _finish(found=bool(outcomes), good=not failed)


@app.command("lint")
def lint_command(
    paths: Paths = None, config: ConfigOption = None, output: OutputOption = Output.TABLE
) -> None:
    """Find what is wrong in mappings without running them; warnings do not fail.

    With --config, what the partners' own EDI guides of that site add counts as known.
    """
    findings: list[Finding] = []
    count = 0
    with said():
        site = site_of(config) if config is not None else None
        for file, _ in _selected(paths):
            count += 1
            findings.extend(
                lint_mapping(file, sources(file), source_fields(file, _agreed(site, file)))
            )
    rows: list[Row] = [
        {"place": each.place, "rule": each.rule, "message": each.message} for each in findings
    ]
    errors = sum(each.is_error for each in findings)
    if output is Output.JSON:
        print_json(rows)
    elif count:
        _table(rows, ("place", "rule", "message"))
        console().print(f"{count} mappings, {errors} errors, {len(rows) - errors} warnings")
    _finish(found=count > 0, good=not errors)


@app.command("coverage")
def coverage_command(paths: Paths = None, output: OutputOption = Output.TABLE) -> None:
    """List what the worked cases leave out.

    Source fields that the mapping does not name, what it reads and no case has, results never made.
    """
    rows: list[Row] = []
    with said():
        for file, _ in _selected(paths):
            found = coverage(file, read_cases(file))
            rows.append(
                {
                    "mapping": file.name,
                    "source_fields": found.source_fields,
                    "not_named": _listed(found.unread, output),
                    "not_shown": _listed(found.unshown, output),
                    "result_fields": found.result_fields,
                    "never_made": _listed(found.unmade, output),
                }
            )
    if output is Output.JSON:
        print_json(rows)
    else:
        columns = ("mapping", "source_fields", "not_named", "not_shown")
        _table(rows, (*columns, "result_fields", "never_made"))
    _finish(found=bool(rows), good=True)


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
    config: ConfigOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show what one mapping makes of FILE: JSON, a worked case, or with --connection raw bytes."""
    with said():
        data = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
        results = [*try_mapping(Trial(system, flow, entity, data, connection, config))]
    for result in results:
        if not isinstance(result, HubError):
            print_json(result)
        elif output is Output.JSON:
            error = {"code": result.code, "where": result.where, "detail": result.detail}
            print_json({"error": error})
        else:
            _say(str(result))
    _finish(found=bool(results), good=not any(isinstance(r, HubError) for r in results))


def _agreed(site: Site | None, file: MappingFile) -> list[Options]:
    return agreed_options(site, file.system) if site is not None else []


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


def _finish(*, found: bool, good: bool) -> None:
    if not found:
        _say("nothing matched")
        raise typer.Exit(Exit.NOTHING_MATCHED)
    if not good:
        raise typer.Exit(Exit.FAILURE)


def _listed(names: Sequence[str], output: Output) -> object:
    return list(names) if output is Output.JSON else ", ".join(names)


def _row(outcome: Outcome) -> Row:
    return {
        "case": "/".join(outcome.case.path.parts[-3:]),
        "engine": outcome.engine,
        "passed": not outcome.problems,
        "problems": list(outcome.problems),
    }


def _table(rows: Sequence[Row], columns: Sequence[str]) -> None:
    if rows:
        print_rows(rows, columns, Output.TABLE)


def _say(text: str) -> None:
    Console(stderr=True, soft_wrap=True, markup=False, highlight=False).print(text)
