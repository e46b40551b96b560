"""``crossdock contract``: what partners rely on, checked offline; and ``crossdock partner new``."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Annotated

import typer

from connectors.registry import CONNECTORS
from hub.cli.exits import Exit, said
from hub.cli.listing import end_empty
from hub.cli.output import Output, OutputOption, console, print_json, print_rows
from hub.contracts import gate, report, results
from hub.contracts.model import contracts_in, read_contract
from hub.contracts.outcome import Checked
from hub.contracts.recorder import record
from hub.contracts.scaffold import new_partner
from hub.contracts.verifier import Verifier, check_all
from hub.mapping.files import shipped_mappings
from hub.settings.places import SettingsError

app = typer.Typer(help="Check what partners rely on.", no_args_is_help=True)
partner = typer.Typer(help="Take on partners.", no_args_is_help=True)

_NO_CONTRACT = "no contract.yaml here or below"
Folders = Annotated[list[Path], typer.Argument(help="Contracts, or folders of them.", exists=True)]
MappingsOption = Annotated[
    Path | None,
    typer.Option(
        "--mappings", help="Mappings to check with; the hub's own if left out.", exists=True
    ),
]
KeysOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--trust", help="Public key (PEM) of who may have signed; repeatable.", exists=True
    ),
]


@app.command("verify")
def verify_command(  # one option each
    folders: Folders,
    mappings: MappingsOption = None,
    against: Annotated[
        Path | None, typer.Option(help="Results of before a change: fail only for what it breaks.")
    ] = None,
    save: Annotated[Path | None, typer.Option(help="Write the results here.")] = None,
    key: Annotated[Path | None, typer.Option(help="Sign them with this Ed25519 key (PEM).")] = None,
    junit: Annotated[Path | None, typer.Option(help="Write JUnit XML here.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write a page for readers here.")] = None,
    release: Annotated[
        str | None, typer.Option(help="What results call it; the hub's version if left out.")
    ] = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Check contracts: every example through the hub's own codecs and mappings, offline."""
    with said():
        checked, mistakes = check_all(_verifier(mappings), contracts_in(folders))
        if mistakes:  # a file of results without them would say that they are gone
            _print_checked(checked, output)
            raise SettingsError(mistakes)
        made = results.results_of(checked, release or _release(), datetime.now(UTC))
        if save:
            results.write_results(save, made, key)
        if junit:
            junit.write_bytes(report.junit(checked))
        if html:
            html.write_text(report.html(checked), encoding="utf-8")
        if against:
            before = results.read_results(against, None)
            _finish_gate(gate.compare(before, made, _today()), output)
            return
    if output is Output.JSON:
        print_json(made)
    else:
        _print_checked(checked, output)
    if not checked:
        end_empty(_NO_CONTRACT)
    _exit(good=all(each.state != "red" for each in checked))


@app.command("diff")
def diff_command(before: Path, after: Path, output: OutputOption = Output.TABLE) -> None:
    """Say what changed for each contract between two saved results, and which it breaks."""
    with said():
        old, new = results.read_results(before, None), results.read_results(after, None)
        _finish_gate(gate.compare(old, new, _today()), output)


@app.command("matrix")
def matrix_command(
    files: Annotated[list[Path], typer.Argument(help="Saved results.", exists=True)],
    trust: KeysOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Say which contract holds at which release, and whether each release can be deployed."""
    with said():
        trusted = frozenset(map(results.public_key_of, trust)) if trust else None
        runs = [results.read_results(path, trusted) for path in files]
        cells, deployable = gate.matrix(runs, _today())
    if output is Output.JSON:
        print_json({"contracts": [cell._asdict() for cell in cells], "deployable": deployable})
    else:
        columns = ("contract", "partner", "owner", "release", "version", "state")
        print_rows([cell._asdict() for cell in cells], columns, output)
        for release, good in deployable.items():
            console().print(f"{release}: {'can be deployed' if good else 'can not be deployed'}")
    if not cells:
        end_empty("the results name no contract")
    _exit(good=all(deployable.values()))


@app.command("record")
def record_command(
    folders: Folders,
    again: Annotated[bool, typer.Option("--again", help="Also those that are there.")] = False,  # noqa: FBT002  # typer's way
) -> None:
    """Write the expected files that are missing: what the hub makes of the examples today."""
    with said():
        verifier = _verifier(None)
        chosen = contracts_in(folders)
        written = [
            path
            for folder in chosen
            for path in record(verifier, read_contract(folder), again=again)
        ]
    for path in written:
        typer.echo(str(path))
    if not written:
        end_empty("no expected file is missing" if chosen else _NO_CONTRACT)


@partner.command("new")
def new_command(
    key: Annotated[str, typer.Argument(help="Our name of the partner, such as acme.")],
    name: Annotated[str, typer.Option(help="Its name as people know it.")] = "",
    folder: Annotated[
        Path | None, typer.Option(help="Where to; contracts/KEY if left out.")
    ] = None,
) -> None:
    """Write a contract to fill in: an X12 purchase order, green from its first minute."""
    with said():
        place = folder or Path("contracts") / key
        written = new_partner(place, key, name or key.title())
        written += record(_verifier(None), read_contract(place))
    for path in written:
        typer.echo(str(path))


def _verifier(mappings: Path | None) -> Verifier:
    return Verifier(CONNECTORS, mappings or shipped_mappings())


def _print_checked(checked: list[Checked], output: Output) -> None:
    """Print a table of the examples; for JSON, where results are not whole, nothing."""
    if output is Output.JSON or not checked:
        return
    rows = [row for each in checked for row in _rows(each)]
    print_rows(rows, ("contract", "example", "result", "why"), output)
    holding = sum(each.holds for each in checked)
    many = "contract" if len(checked) == 1 else "contracts"
    console().print(f"{len(checked)} {many}, {holding} {'holds' if holding == 1 else 'hold'}")


def _rows(checked: Checked) -> list[dict[str, str]]:
    return [
        {
            "contract": checked.contract,
            "example": outcome.name,
            "result": _word(checked, failed=bool(outcome.problems)),
            "why": "\n".join([*outcome.problems, *(f"(note) {each}" for each in outcome.notes)]),
        }
        for outcome in checked.outcomes
    ]


def _word(checked: Checked, *, failed: bool) -> str:
    if not failed:
        return "holds"
    return "pending" if checked.pending else "broken"


def _finish_gate(changes: list[gate.Change], output: Output) -> None:
    broken = sum(change.effect == "breaking" for change in changes)
    if output is Output.JSON:
        print_json([change._asdict() for change in changes])
    else:
        columns = ("effect", "contract", "owner", "code", "where", "detail", "way_out")
        print_rows([change._asdict() for change in changes], columns, output)
        excused = sum(change.effect == "excused" for change in changes)
        words = f", {excused} excused (pending or deprecated)" if excused else ""
        console().print(f"{len(changes)} changes, {broken} breaking{words}")
    _exit(good=not broken)


def _exit(*, good: bool) -> None:
    if not good:
        raise typer.Exit(Exit.FAILURE)


def _release() -> str:
    return metadata.version("crossdock")


def _today() -> str:
    return datetime.now(UTC).date().isoformat()
