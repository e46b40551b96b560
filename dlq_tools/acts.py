"""`crossdock dlq archive`, `restore` and `purge`: giving dead letters up, and taking that back."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import typer

from canonical.errors import Rejected
from dlq_tools.cells import rows_of
from dlq_tools.consent import Consent
from dlq_tools.exits import exit_of
from dlq_tools.options import Actor, DryRun, Most, Reason, Yes, allowed, by_whom, choosing
from hub.cli.desk import ConfigOption, desk
from hub.cli.exits import Exit, run
from hub.cli.output import Output, OutputOption, print_json, print_rows
from hub.dead_letters import acting, letters
from hub.dead_letters.acting import Verb
from hub.dead_letters.filters import Filters
from hub.release.holds import Act
from hub.settings.model import Role, Site

_COLUMNS = ("id", "number", "outcome", "code", "where", "detail")


@choosing
def archive(
    chosen: Filters,
    *,
    reason: Reason,
    config: ConfigOption = None,
    by: Actor = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    most: Most = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Give dead letters up: nothing is deleted, and what waited behind them goes on."""
    consent = _consent(yes=yes, dry_run=dry_run)
    _act(acting.ARCHIVE, chosen, config, by_whom(reason, by), (consent, most), output)


@choosing
def restore(
    chosen: Filters,
    *,
    reason: Reason,
    config: ConfigOption = None,
    by: Actor = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    most: Most = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Open archived letters again, unless a later version has gone to the target since."""
    consent = _consent(yes=yes, dry_run=dry_run)
    _act(acting.RESTORE, chosen, config, by_whom(reason, by), (consent, most), output)


@choosing
def purge(
    chosen: Filters,
    *,
    reason: Reason,
    config: ConfigOption = None,
    by: Actor = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    most: Most = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Delete archived letters whose retention (`dead_letters.retention_days`) is over.

    The audit trail keeps what they were; documents, tries and bytes stay.
    """
    consent = _consent(yes=yes, dry_run=dry_run)
    _act(None, chosen, config, by_whom(reason, by), (consent, most), output)


def _consent(*, yes: bool, dry_run: bool) -> Consent:
    return Consent(yes, dry_run, sys.stdin.isatty(), typer.confirm)


def _needed(verb: Verb | None, site: Site) -> tuple[Verb, Role]:
    """Return the action and the role for it; None is purging, which the site bounds."""
    if verb is None:
        return acting.purging(site.dead_letters.retention_days), "admin"
    return verb, "operator"


def _act(
    verb: Verb | None,
    chosen: Filters,
    config: ConfigOption,
    by: tuple[str, str],
    guards: tuple[Consent, int | None],
    output: Output,
) -> None:
    """Choose, ask, act on each, print, and exit with what it came to."""
    consent, most = guards

    async def work() -> list[dict[str, Any]]:
        consent.check_selection(narrow=chosen.narrow)
        async with desk(config) as at:
            doing, role = _needed(verb, at.site)
            allowed(at.site, role)
            async with at.engine.connect() as ledger:
                rows = await letters.listing(ledger, chosen, (doing.usual,))
            if not rows:
                return []
            if most is not None and len(rows) > most:
                raise Rejected("too_many", "max", f"more than {most} letters are chosen")
            consent.check(_question(doing, rows))
            ids, act = [row["id"] for row in rows], Act(*by, at.clock.now())
            found = await acting.each(at.engine, doing, ids, act, dry_run=consent.dry_run)
            numbers = {row["id"]: row["number"] for row in rows}
            return [each.row() | {"number": numbers[each.id]} for each in found]

    rows = run(work())
    _print(rows, output)
    raise typer.Exit(_exit(rows))


def _question(verb: Verb, rows: Sequence[dict[str, Any]]) -> str:
    causes = len({row["fingerprint"] for row in rows})
    partners = ", ".join(sorted({row["partner"] for row in rows})[:5])
    return f"{verb.name} {len(rows)} dead letters ({causes} causes; partners: {partners})?"


def _print(rows: Sequence[dict[str, Any]], output: Output) -> None:
    if output is Output.JSON:
        print_json(list(rows))
    elif rows:
        short = [row | {"id": row["id"][:8]} for row in rows]
        print_rows(rows_of(short, _COLUMNS), _COLUMNS, output)
    else:
        typer.echo("no dead letter matches", err=True)


def _exit(rows: Sequence[dict[str, Any]]) -> Exit:
    if not rows:
        return Exit.NOTHING_MATCHED
    return exit_of(row["outcome"] for row in rows)
