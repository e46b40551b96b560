"""`crossdock edi`: files of trading partners looked into, what partners said, what to send again."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from connectors.base import ConnectorConfig
from connectors.registry import CONNECTORS
from hub.cli import edi_look
from hub.cli.desk import ConfigOption, actor, desk, warn_if_idle
from hub.cli.exits import run
from hub.cli.listing import print_listed
from hub.cli.output import Output, OutputOption
from hub.ledger import interchanges
from hub.ledger.resend import again
from hub.ledger.sent import Asked, Sent, sent
from hub.ledger.unmatched import Unmatched, unmatched
from hub.reconcile.interchange_facts import counted
from hub.settings.model import Site

app = typer.Typer(help="EDI: files looked into, acknowledgements, gaps.", no_args_is_help=True)
_SENT = (
    "delivery", "sent_at", "connection", "flow", "document", "number", "state", "said_in", "said_at", "reasons",
)  # fmt: skip
_UNMATCHED = (
    "at", "connection", "partner", "flow", "state", "number", "named", "why", "reasons", "place", "document",
)  # fmt: skip
_GAPS = ("connection", "first", "last", "before", "since")


class State(StrEnum):
    """Where the acknowledgement of something that we sent stands."""

    SENT = "sent"
    RECEIVED = "received"
    ACCEPTED = "accepted"
    ACCEPTED_WITH_ERRORS = "accepted_with_errors"
    REJECTED = "rejected"
    OVERDUE = "overdue"


app.command("parse")(edi_look.parse)
app.command("validate")(edi_look.validate)
app.command("ack")(edi_look.ack)
app.command("render")(edi_look.render)
app.command("diff")(edi_look.diff)


@app.command("acks")
def acks(
    config: ConfigOption = None,
    state: Annotated[State | None, typer.Option(help="Only these.")] = None,
    connection: Annotated[str | None, typer.Option(help="Only of this connection.")] = None,
    days: Annotated[int, typer.Option(min=1, max=3650, help="How far back.")] = 30,
    only_unmatched: Annotated[  # noqa: FBT002  # an option
        bool, typer.Option("--unmatched", help="What partners said that fits nothing we sent.")
    ] = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show what partners said of what we sent, and what they still owe an answer for."""
    if only_unmatched:
        if state is not None:
            raise typer.BadParameter("--state is of what we sent, --unmatched of what fits nothing")
        _list_unmatched(config, connection, days, output)
        return

    async def work() -> list[Sent]:
        async with desk(config) as at, at.engine.connect() as ledger:
            asked = _asked(at.site)
            if connection is not None:
                asked = {name: how for name, how in asked.items() if name == connection}
            now = at.clock.now()
            return await sent(ledger, asked, now, now - timedelta(days=days))

    found = [each._asdict() for each in run(work()) if state is None or each.state == state]
    if output is Output.TABLE:
        found = [row | {"reasons": _told(row["reasons"])} for row in found]
    print_listed(found, _SENT, output, "nothing that was sent matches")


def _list_unmatched(config: Path | None, connection: str | None, days: int, output: Output) -> None:
    async def work() -> list[Unmatched]:
        async with desk(config) as at, at.engine.connect() as ledger:
            return await unmatched(ledger, at.clock.now() - timedelta(days=days), connection)

    found = [each._asdict() for each in run(work())]
    if output is Output.TABLE:
        found = [row | {"reasons": _told(row["reasons"])} for row in found]
    print_listed(found, _UNMATCHED, output, "all that partners said fits something we sent")


@app.command("gaps")
def gaps(
    config: ConfigOption = None,
    grace: Annotated[
        float | None,
        typer.Option(min=0, help="Hours until a gap counts; else as each partner's profile says."),
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=3650, help="How far back.")] = 30,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show interchange numbers that partners skipped: what was sent and never came."""

    async def work() -> tuple[list[interchanges.Gap], list[interchanges.Gap]]:
        async with desk(config) as at, at.engine.connect() as ledger:
            now = at.clock.now()
            late, young = [], []
            for name, (scope, after) in counted(at.site).items():
                wait = after if grace is None else timedelta(hours=grace)
                if wait is not None:
                    span = interchanges.Span(now - timedelta(days=days), now)
                    missing, _ = await interchanges.gaps(ledger, scope, span)
                    named = [gap._replace(connection=name) for gap in missing]
                    late += [gap for gap in named if gap.since <= now - wait]
                    young += [gap for gap in named if gap.since > now - wait]
            return late, young

    late, young = run(work())
    print_listed([gap._asdict() for gap in late], _GAPS, output, _none_late(young, grace))


def _none_late(young: list[interchanges.Gap], grace: float | None) -> str:
    """Say that no gap is late, and which are only too young to be."""
    count = interchanges.sizes(young)
    if not count:
        return "no number is missing"
    numbers = "1 number is" if count == 1 else f"{count} numbers are"
    wait = "gap_after_hours" if grace is None else "--grace"
    return f"none is late; {numbers} missing for less than {wait} (--grace 0 shows them)"


@app.command("resend")
def resend(
    delivery: Annotated[str, typer.Argument(help="The delivery's id, or its first 8 characters.")],
    reason: Annotated[str, typer.Option(help="Why; goes into the audit trail.")],
    config: ConfigOption = None,
    by: Annotated[str | None, typer.Option(help="Who; by default the user of this shell.")] = None,
) -> None:
    """Send an interchange to its partner again: the archived bytes, exactly as they were sent."""

    async def work() -> str:
        async with desk(config) as at:
            now, numbered = at.clock.now(), _numbered(at.site)
            async with at.engine.begin() as ledger:
                owed = await again(ledger, delivery, (actor(by), reason), now, numbered)
                at.archive.read(*owed.kept)  # told now, and nothing is owed, if they are gone
                return owed.delivery

    typer.echo(f"owed again: {run(work())}")
    warn_if_idle(config)


def _numbered(site: Site) -> dict[str, ConnectorConfig]:
    """Return the connections that count interchanges, with their options."""
    found = {}
    for name, connection in site.connections.items():
        connector = CONNECTORS.get(connection.system)
        if connector is None:
            continue
        try:
            config = connector.config.model_validate(connection.options)
        except (
            ValidationError
        ):  # a secret that is still a reference: no format with numbers has one
            continue
        if config.control_scope is not None:
            found[name] = config
    return found


def _asked(site: Site) -> dict[str, Asked]:
    """Return the connections whose partners acknowledge, with their numbers and clocks."""
    return {
        name: Asked(config.control_scope, config.confirmed_within, _actions(site, name))
        for name, config in _numbered(site).items()
        if config.control_scope is not None and config.confirmed_within is not None
    }


def _actions(site: Site, target: str) -> tuple[str, ...]:
    return tuple({"send", *(route.action for route in site.routes if route.to == target)})


def _told(reasons: tuple[Any, ...]) -> str:
    return ", ".join(f"{each['code']} at {each['where']}" for each in reasons)
