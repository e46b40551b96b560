"""The options that commands share: the filters, and what every action takes.

Options that belong together are the parameters of one function, which makes one value of them. A
command that is decorated with `taking` such functions has all these options, and gets the values as
its first parameters. Typer reads a command's signature, so the decorator gives it one that holds
all.
"""

from __future__ import annotations

import functools
import inspect
import itertools
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import typer

from canonical.errors import Rejected
from dlq_tools.consent import Consent
from hub.cli.choices import one_of
from hub.cli.desk import ConfigOption, actor
from hub.cli.exits import said
from hub.cli.output import Output, OutputOption
from hub.clock import SystemClock
from hub.dead_letters.filters import SHORTEST, Filters, Stage, State
from hub.dead_letters.times import moment
from hub.ledger.document_words import ENTITIES
from hub.settings.model import Role, Site
from hub.settings.roles import may

Reason = Annotated[str, typer.Option(help="Why; goes into the audit trail.")]
Actor = Annotated[str | None, typer.Option(help="Who; by default the user of this shell.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask; needed where nobody can be asked.")]

Most = Annotated[
    int | None, typer.Option("--max", min=1, help="Refuse if more letters are chosen.")
]

_Ids = Annotated[
    list[str] | None, typer.Argument(help="Dead letters: their ids, or the first 8 characters.")
]
_Group = Annotated[
    str | None, typer.Option(help="Failures of one cause: a fingerprint of `stats`.")
]
_Partner = Annotated[
    str | None,
    typer.Option(help="Only of documents that came from this partner; what it refused: --target."),
]
_Doc = Annotated[
    str | None,
    typer.Option(help="Only this kind: order, shipment, invoice ...", callback=one_of(ENTITIES)),
]
_Key = Annotated[
    str | None, typer.Option(help="A document's number, its business key, or our reference.")
]
_Error = Annotated[str | None, typer.Option(help="Only with this error code.")]
_Stage = Annotated[Stage | None, typer.Option(help="Where it could not go on.")]
_Target = Annotated[str | None, typer.Option(help="Only deliveries to this connection.")]
_Since = Annotated[
    str | None, typer.Option(help="Opened then or later: 30m, 2h, 3d ago, or ISO 8601.")
]
_Until = Annotated[str | None, typer.Option(help="Opened then or earlier; as --since.")]
_Replayed = Annotated[
    bool | None,
    typer.Option("--replayed/--not-replayed", help="Only those replayed before, or never."),
]
_State = Annotated[State | None, typer.Option(help="Only in this state, or in all.")]
_Limit = Annotated[int | None, typer.Option(min=1, help="At most so many, the oldest first.")]


def filters(
    ids: _Ids = None,
    group: _Group = None,
    partner: _Partner = None,
    doc: _Doc = None,
    key: _Key = None,
    error: _Error = None,
    stage: _Stage = None,
    target: _Target = None,
    since: _Since = None,
    until: _Until = None,
    replayed: _Replayed = None,
    state: _State = None,
    limit: _Limit = None,
) -> Filters:
    """Return which letters are meant, as options."""
    now = SystemClock().now()
    for option, name in (("--group", group), *(("IDS", each) for each in ids or ())):
        check_name(option, name)
    return Filters(
        ids=tuple(ids or ()),
        group=group,
        partner=partner,
        doc=doc,
        key=key,
        error=error,
        stage=stage,
        target=target,
        since=_moment("--since", since, now),
        until=_moment("--until", until, now),
        replayed=replayed,
        state=state,
        limit=limit,
    )


def by_whom(reason: str, by: str | None) -> tuple[str, str]:
    """Return who acts and why, for the audit trail.

    Raises:
        typer.BadParameter: no reason is given.
    """
    if not reason.strip():
        raise typer.BadParameter("it goes into the audit trail", param_hint="--reason")
    return actor(by), reason


def allowed(site: Site, needed: Role) -> None:
    """Refuse what the role of this site's shells does not allow.

    Raises:
        Rejected: ``forbidden``.
    """
    if not may(site.dead_letters.shell_role, needed):
        raise Rejected("forbidden", "dead_letters.shell_role", f"needs the role {needed}")


def check_name(option: str, name: str | None) -> None:
    """Refuse the beginning of an id or fingerprint that is too short to name one, before any server.

    Raises:
        typer.Exit: exit code 4; ``id_too_short`` is told.
    """
    if name is not None and len(name) < SHORTEST:
        with said():
            raise Rejected("id_too_short", option, f"give at least {SHORTEST} characters")


def _moment(option: str, text: str | None, now: datetime) -> datetime | None:
    if text is None:
        return None
    try:
        return moment(text, now)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from None


@dataclass(frozen=True, slots=True)
class Acting:
    """What every action on letters is given."""

    by: tuple[str, str]
    """Who, and why."""
    consent: Consent
    most: int | None
    config: ConfigOption
    output: Output


def acting_options(
    reason: Reason,
    config: ConfigOption = None,
    by: Actor = None,
    dry_run: DryRun = False,  # noqa: FBT002  # typer's way
    yes: Yes = False,  # noqa: FBT002
    most: Most = None,
    output: OutputOption = Output.TABLE,
) -> Acting:
    """Return what an action is given, as options."""
    consent = Consent(yes, dry_run, sys.stdin.isatty(), typer.confirm)
    return Acting(by_whom(reason, by), consent, most, config, output)


Command = Callable[..., None]


def taking(*makers: Callable[..., Any]) -> Callable[[Command], Command]:
    """Give a command the options of all `makers`; its first parameters get what they make."""

    def of(command: Command) -> Command:
        own = _parameters(command)[len(makers) :]
        shared = [_parameters(maker) for maker in makers]

        @functools.wraps(command)
        def with_options(**given: Any) -> None:
            made = [
                maker(**{each.name: given.pop(each.name) for each in parameters})
                for maker, parameters in zip(makers, shared, strict=True)
            ]
            command(*made, **given)

        all_of_them = (*itertools.chain.from_iterable(shared), *own)
        every = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in all_of_them]
        signature = inspect.Signature(every)
        with_options.__annotations__ = {each.name: each.annotation for each in every}
        setattr(with_options, "__signature__", signature)  # noqa: B010  # mypy knows no such attribute
        return with_options

    return of


def _parameters(function: Callable[..., Any]) -> list[inspect.Parameter]:
    return list(inspect.signature(function, eval_str=True).parameters.values())


choosing = taking(filters)
