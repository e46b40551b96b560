"""``crossdock map diff`` and ``map promote``: what other mappings would change, and using them."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress

from canonical.errors import ConfigError
from hub.cli.desk import ConfigOption, Desk, actor, desk
from hub.cli.exits import Exit, run
from hub.cli.output import Output, OutputOption, console, print_json, print_rows
from hub.dead_letters.times import moment
from hub.ledger.audit import Entry, append_all
from hub.mapping_changes import stored
from hub.mapping_changes.comparison import Candidate, Store, candidate, compare
from hub.mapping_changes.promotion import install, own_folder, prove, refuse_failures
from hub.mapping_changes.tally import Tally

_COLUMNS = ("partner", "entity", "what", "where", "documents", "example")
_WEEK = timedelta(days=7)
_FAILED = "map.promote_failed"
"""Follows a ``map.promote`` whose mappings could not be written."""

CandidateOption = Annotated[
    Path,
    typer.Option(
        "--candidate", help="Folder of mappings: SYSTEM/FLOW.ENTITY.jsonata.", exists=True
    ),
]
SinceOption = Annotated[str, typer.Option(help="Receipts from then on: 7d, 2h, or ISO 8601.")]
LimitOption = Annotated[int | None, typer.Option(min=1, help="At most so many receipts.")]


def diff_command(  # one option each
    folder: CandidateOption,
    since: SinceOption = "7d",
    limit: LimitOption = None,
    values: Annotated[  # noqa: FBT002  # typer's way
        bool, typer.Option("--values", help="Show values in examples: they are the partners'.")
    ] = False,
    config: ConfigOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Run stored receipts through today's and the candidate mappings; change nothing."""

    async def work() -> dict[str, Any]:
        async with desk(config) as at:
            return await _compared(at, candidate(at.site, folder), (since, limit), values=values)

    _show(run(work()), output)


def promote_command(  # one option each
    folder: CandidateOption,
    reason: Annotated[str, typer.Option(help="Why; kept in the audit trail.")],
    by: Annotated[
        str | None, typer.Option("--by", "--actor", help="Who; the OS user if left out.")
    ] = None,
    since: SinceOption = "7d",
    limit: LimitOption = None,
    allow_failures: Annotated[  # noqa: FBT002  # typer's way
        bool,
        typer.Option("--allow-failures", help="Also if documents fail that are mapped today."),
    ] = False,
    config: ConfigOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Prove candidate mappings, compare them, and put them into the site's own mappings.

    One without worked cases is held to those of the shipped mapping; one with which stored documents
    fail that are mapped today is refused. Hubs take them at their next start. Every version that was
    in use is kept.
    """

    async def work() -> dict[str, Any]:
        async with desk(config) as at:
            offered = candidate(at.site, folder)
            prove(offered.files, at.site)
            own = own_folder(at.site.mappings)
            found = await _compared(at, offered, (since, limit), values=False)
            if not allow_failures:
                refuse_failures(found["changes"])
            entries = _entries(offered, found, (actor(by), reason))
            await _record(at, entries)  # first: nothing is in use that nobody answers for
            try:
                paths = install(own, offered.files)
            except ConfigError:
                await _record(at, [replace(each, action=_FAILED, after=None) for each in entries])
                raise
            return found | {"promoted": [str(path) for path in paths]}

    found = run(work())
    _show(found, output)
    if output is Output.TABLE:
        for path in found["promoted"]:
            console().print(f"promoted: {path}")


async def _record(at: Desk, entries: list[Entry]) -> None:
    async with at.engine.begin() as ledger:
        await append_all(ledger, entries, at.clock.now())


def _entries(offered: Candidate, found: dict[str, Any], who: tuple[str, str]) -> list[Entry]:
    in_use = {file.name: file.version for file in offered.before.mappings}
    summary = {name: found[name] for name in ("receipts", "documents", "different")}
    rows = [
        {k: row[k] for k in ("partner", "entity", "what", "where", "documents")}
        for row in found["changes"]
    ]
    return [
        Entry(
            who[0],
            "map.promote",
            file.name,
            who[1],
            {"version": in_use.get(file.name)},
            {"version": file.version, **summary, "changes": rows},
        )
        for file in offered.files
    ]


async def _compared(
    at: Desk, offered: Candidate, which: tuple[str, int | None], *, values: bool
) -> dict[str, Any]:
    try:
        since = moment(which[0], at.clock.now())
    except ValueError as error:
        raise ConfigError("moment_invalid", "--since", str(error)) from None
    chosen = stored.Chosen(since, offered.connections, which[1])
    tally = Tally(values=values)
    total = await stored.count(at.engine, chosen)
    with Progress(console=Console(stderr=True), disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("receipts", total=total)
        unreadable = await compare(
            Store(at.engine, at.archive),
            at.site,
            (offered, chosen),
            tally,
            lambda done: bar.advance(task, done),
        )
    return {
        "mappings": [{"name": file.name, "version": file.version} for file in offered.files],
        "receipts": tally.receipts,
        "documents": tally.documents,
        "different": tally.different,
        "unreadable": unreadable,
        "changes": tally.rows(),
    }


def _show(found: dict[str, Any], output: Output) -> None:
    if output is Output.JSON:
        print_json(found)
    else:
        rows = [row | {"example": _example(row["examples"])} for row in found["changes"]]
        if rows:
            print_rows(rows, _COLUMNS, output)
        names = ", ".join(f"{each['name']} ({each['version']})" for each in found["mappings"])
        lost = f", {found['unreadable']} not in the archive" if found["unreadable"] else ""
        console().print(f"{names or 'no mapping differs from those in use'}")
        console().print(
            f"{found['receipts']} receipts, {found['documents']} documents, "
            f"{found['different']} different{lost}"
        )
    if not found["mappings"]:
        raise typer.Exit(Exit.NOTHING_MATCHED)


def _example(examples: list[dict[str, str]]) -> str:
    first = examples[0] if examples else {}
    values = f": {first['before']} -> {first['after']}" if "before" in first else ""
    return f"{first.get('number', '')} {first.get('place', '')}{values}".strip()
