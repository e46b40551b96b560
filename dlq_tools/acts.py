"""`crossdock dlq archive` and `restore`: giving dead letters up, and taking that back.

Every letter is a transaction of its own: one that is refused or fails never stops the others.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import typer
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from canonical.errors import Rejected
from dlq_tools.cells import rows_of
from dlq_tools.consent import Consent
from dlq_tools.exits import exit_of
from dlq_tools.options import Actor, DryRun, Reason, Yes, allowed, by_whom, choosing
from hub.cli.desk import ConfigOption, Desk, desk
from hub.cli.exits import Exit, run
from hub.cli.output import Output, OutputOption, print_json, print_rows
from hub.dead_letters import archive as archiving
from hub.dead_letters import letters, outcome
from hub.dead_letters.filters import Filters, State
from hub.dead_letters.outcome import Outcome
from hub.release.holds import Act

Do = Callable[[AsyncConnection, str, Act], Awaitable[None]]

_COLUMNS = ("id", "number", "outcome", "code", "where", "detail", "new_letter")


@dataclass(frozen=True, slots=True)
class Verb:
    """One action: what it is called, what it does to one letter, and which it is for."""

    name: str
    done: str
    do: Do
    usual: State


ARCHIVE = Verb("archive", "archived", archiving.archive, State.OPEN)
RESTORE = Verb("restore", "restored", archiving.restore, State.ARCHIVED)


@choosing
def archive(
    chosen: Filters,
    *,
    reason: Reason,
    config: ConfigOption = None,
    by: Actor = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Give dead letters up: nothing is deleted, and what waited behind them goes on."""
    consent = _consent(yes=yes, dry_run=dry_run)
    _act(ARCHIVE, chosen, config, by_whom(reason, by), consent, output)


@choosing
def restore(
    chosen: Filters,
    *,
    reason: Reason,
    config: ConfigOption = None,
    by: Actor = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Open archived letters again, unless a later version has gone to the target since."""
    consent = _consent(yes=yes, dry_run=dry_run)
    _act(RESTORE, chosen, config, by_whom(reason, by), consent, output)


def _consent(*, yes: bool, dry_run: bool) -> Consent:
    return Consent(yes, dry_run, sys.stdin.isatty(), typer.confirm)


def _act(
    verb: Verb,
    chosen: Filters,
    config: ConfigOption,
    by: tuple[str, str],
    consent: Consent,
    output: Output,
) -> None:
    """Choose, ask, act on each, print, and exit with what it came to."""

    async def work() -> list[dict[str, Any]]:
        consent.check_selection(narrow=chosen.narrow)
        async with desk(config) as at:
            allowed(at.site, "operator")
            async with at.engine.connect() as ledger:
                rows = await letters.listing(ledger, chosen, (verb.usual,))
            if not rows:
                return []
            consent.check(_question(verb, rows))
            found = [await _one(at, verb, row["id"], by, dry_run=consent.dry_run) for row in rows]
            numbers = {row["id"]: row["number"] for row in rows}
            return [each.row() | {"number": numbers[each.id]} for each in found]

    rows = run(work())
    _print(rows, output)
    raise typer.Exit(_exit(rows))


def _question(verb: Verb, rows: Sequence[dict[str, Any]]) -> str:
    causes = len({row["fingerprint"] for row in rows})
    partners = ", ".join(sorted({row["partner"] for row in rows})[:5])
    return f"{verb.name} {len(rows)} dead letters ({causes} causes; partners: {partners})?"


async def _one(
    at: Desk, verb: Verb, letter_id: str, by: tuple[str, str], *, dry_run: bool
) -> Outcome:
    """Act on one letter; a dry run does the same and takes it back."""
    try:
        async with at.engine.connect() as ledger, ledger.begin() as transaction:
            await verb.do(ledger, letter_id, Act(*by, at.clock.now()))
            if dry_run:
                await transaction.rollback()
    except Rejected as error:
        return Outcome(letter_id, outcome.REFUSED, error.code, "", error.detail)
    except (SQLAlchemyError, OSError) as error:
        detail = type(error).__name__
        return Outcome(letter_id, outcome.NOT_DONE, "ledger_unavailable", "", detail)
    return Outcome(letter_id, f"would_{verb.name}" if dry_run else verb.done)


def _print(rows: Sequence[dict[str, Any]], output: Output) -> None:
    if output is Output.JSON:
        print_json(list(rows))
    elif rows:
        short = [
            row | {"id": row["id"][:8], "new_letter": (row["new_letter"] or "")[:8]} for row in rows
        ]
        print_rows(rows_of(short, _COLUMNS), _COLUMNS, output)
    else:
        typer.echo("no dead letter matches", err=True)


def _exit(rows: Sequence[dict[str, Any]]) -> Exit:
    if not rows:
        return Exit.NOTHING_MATCHED
    return exit_of(row["outcome"] for row in rows)
