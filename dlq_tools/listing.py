"""`crossdock dlq`: counting, listing and showing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any

import typer

from dlq_tools.cells import printable, rows_of
from dlq_tools.options import check_name, choosing
from hub.cli.desk import ConfigOption, desk
from hub.cli.exits import Exit, run
from hub.cli.output import Output, OutputOption, print_json, print_rows
from hub.dead_letters import letters
from hub.dead_letters.filters import Filters
from hub.dead_letters.payload import payload

_MOST = 100
_GROUPS = (
    "group", "count", "stage", "code", "place", "target", "partners", "money", "first_seen",
    "last_seen", "changed", "said",
)  # fmt: skip
_LETTERS = (
    "id", "opened_at", "state", "stage", "code", "place", "partner", "entity", "flow", "number", "target",
    "attempts", "amount", "said",
)  # fmt: skip
_FACTS = (
    "id", "state", "stage", "code", "place", "detail", "said", "connection", "partner", "entity", "flow",
    "number", "target", "business_key", "amount", "currency", "mapping_version", "fingerprint",
    "attempts", "replays", "opened_at", "closed_at", "actor", "reason",
)  # fmt: skip
_HISTORY = ("n", "started_at", "ended_at", "outcome", "code", "place", "detail", "said")
_RELATED = ("id", "state", "stage", "code", "place", "opened_at", "closed_at")
_EDITS = ("id", "made_at", "of", "state", "changed", "actor", "approved_by", "reason")
_ACTS = ("at", "actor", "action", "reason")


@choosing
def stats(
    chosen: Filters, config: ConfigOption = None, output: OutputOption = Output.TABLE
) -> None:
    """Count what is open by cause, the largest group first."""

    async def work() -> list[dict[str, Any]]:
        async with desk(config) as at, at.engine.connect() as ledger:
            found = await letters.groups(ledger, chosen)
            return await letters.with_changes(ledger, found)

    print_letters(run(work()), _GROUPS, output)


@choosing
def list_letters(
    chosen: Filters, config: ConfigOption = None, output: OutputOption = Output.TABLE
) -> None:
    """List dead letters, the oldest first: 100 unless --limit says otherwise."""

    async def work() -> list[dict[str, Any]]:
        async with desk(config) as at, at.engine.connect() as ledger:
            return first(await letters.listing(ledger, one_more(chosen)), chosen)

    print_letters(run(work()), _LETTERS, output)


def show(
    name: Annotated[str, typer.Argument(help="The letter's id, or its first 8 characters.")],
    *,
    config: ConfigOption = None,
    with_payload: Annotated[
        bool, typer.Option("--payload", help="Also the bytes: they may hold personal data.")
    ] = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show one dead letter: its error, every attempt, what is related, what waits behind it."""
    check_name("ID", name)

    async def work() -> dict[str, Any]:
        async with desk(config) as at:
            async with at.engine.connect() as ledger:
                letter = await letters.show(ledger, name)
                letter["waiting"] = await letters.waiting(ledger, letter)
            if with_payload:
                found = await payload(at.archive, letter)
                letter["payload"] = found.as_json()
                letter["payload_text"] = found.as_text()
            return letter

    letter = run(work())
    text = letter.pop("payload_text", None)
    if output is Output.JSON:
        print_json(letter)
        return
    _print_letter(letter)
    if text is not None:
        typer.echo(printable(text, keep="\r\n\t"))


def one_more(chosen: Filters) -> Filters:
    """Look for one letter more than is shown, to know whether there are more."""
    return replace(chosen, limit=(chosen.limit or _MOST) + 1)


def first(rows: list[dict[str, Any]], chosen: Filters) -> list[dict[str, Any]]:
    """Return those that are shown; that there are more is said on stderr."""
    most = chosen.limit or _MOST
    if len(rows) > most:
        typer.echo(f"there are more than these {most}: see --limit", err=True)
    return rows[:most]


def print_letters(rows: Sequence[dict[str, Any]], columns: Sequence[str], output: Output) -> None:
    """Print rows; none at all is an exit code of its own."""
    if output is Output.JSON:
        print_json(list(rows))
    elif rows:
        table(rows, columns)
    else:
        typer.echo("no dead letter matches", err=True)
    if not rows:
        raise typer.Exit(Exit.NOTHING_MATCHED)


def table(rows: Sequence[dict[str, Any]], columns: Sequence[str], title: str = "") -> None:
    """Print rows as a table."""
    short = [_shortened(row) for row in rows]
    print_rows(rows_of(short, columns), columns, Output.TABLE, title=title)


def _shortened(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row as a table shows it: short ids, amounts with their currency, counts of lists."""
    short = dict(row)
    if "id" in row:
        short["id"] = str(row["id"])[:8]
    if row.get("amount") is not None:
        short["amount"] = {row.get("currency") or "": row["amount"]}
    if "waiting" in row:
        short["waiting"] = len(row["waiting"]) or None
    return short


def _print_letter(letter: dict[str, Any]) -> None:
    facts = {name: letter[name] for name in _FACTS if letter[name] is not None}
    came, sent = letter["receipt"], letter["delivery"]
    if came is not None:
        facts |= {"receipt": came["id"], "sha256": came["sha256"], "size": came["size"]}
        facts |= {"file": came["file"]} if came["file"] else {}
    if sent is not None:
        facts |= {"delivery": sent["id"], "delivery state": sent["state"]}
        facts |= {"action": sent["action"], "sent sha256": sent["sent_sha256"] or ""}
    table([{"fact": name, "value": value} for name, value in facts.items()], ("fact", "value"))
    titles = (
        ("history", _HISTORY),
        ("related", _RELATED),
        ("edits", _EDITS),
        ("acts", _ACTS),
    )
    for title, columns in titles:
        if letter[title]:
            table(letter[title], columns, title)
    if letter["waiting"]:
        table(letter["waiting"], ("entity", "number", "version", "target", "action"), "waiting")
