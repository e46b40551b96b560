"""`crossdock dlq archive`, `restore` and `purge`: giving dead letters up, and taking that back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import typer

from canonical.errors import Rejected
from dlq_tools.cells import rows_of
from dlq_tools.exits import exit_of
from dlq_tools.options import Acting, acting_options, allowed, filters, taking
from hub.cli.desk import desk
from hub.cli.exits import Exit, run
from hub.cli.output import Output, print_json, print_rows
from hub.dead_letters import acting, letters
from hub.dead_letters.acting import Verb
from hub.dead_letters.filters import Filters
from hub.release.holds import Act
from hub.settings.model import Role, Site

_COLUMNS = ("id", "number", "outcome", "code", "where", "detail")


@taking(filters, acting_options)
def archive(chosen: Filters, asked: Acting) -> None:
    """Give dead letters up: nothing is deleted, and what waited behind them goes on."""
    _act(acting.ARCHIVE, chosen, asked)


@taking(filters, acting_options)
def restore(chosen: Filters, asked: Acting) -> None:
    """Open archived letters again, unless a later version has gone to the target since."""
    _act(acting.RESTORE, chosen, asked)


@taking(filters, acting_options)
def purge(chosen: Filters, asked: Acting) -> None:
    """Delete archived letters whose retention (`dead_letters.retention_days`) is over.

    The audit trail keeps what they were; documents, tries and bytes stay.
    """
    _act(None, chosen, asked)


def _needed(verb: Verb | None, site: Site) -> tuple[Verb, Role]:
    """Return the action and the role for it; None is purging, which the site bounds."""
    if verb is None:
        return acting.purging(site.dead_letters.retention_days), "admin"
    return verb, "operator"


def _act(verb: Verb | None, chosen: Filters, asked: Acting) -> None:
    """Choose, ask, act on each, print, and exit with what it came to."""
    rows = run(_acted(verb, chosen, asked))
    _print(rows, asked.output)
    raise typer.Exit(_exit(rows))


async def _acted(verb: Verb | None, chosen: Filters, asked: Acting) -> list[dict[str, Any]]:
    consent = asked.consent
    consent.check_selection(narrow=chosen.narrow)
    async with desk(asked.config) as at:
        doing, role = _needed(verb, at.site)
        allowed(at.site, role)
        async with at.engine.connect() as ledger:
            rows = await letters.listing(ledger, chosen, (doing.usual,))
        if not rows:
            return []
        if asked.most is not None and len(rows) > asked.most:
            raise Rejected("too_many", "max", f"more than {asked.most} letters are chosen")
        consent.check(_question(doing, rows))
        ids, act = [row["id"] for row in rows], Act(*asked.by, at.clock.now())
        found = await acting.each(at.engine, doing, ids, act, dry_run=consent.dry_run)
        numbers = {row["id"]: row["number"] for row in rows}
        return [each.row() | {"number": numbers[each.id]} for each in found]


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
