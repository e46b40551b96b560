"""`crossdock trace`, `documents` and `account`: where things stand."""

from __future__ import annotations

from typing import Annotated, Any

import sqlalchemy as sa
import typer

from canonical.errors import Rejected
from hub.api.documents import thread_json
from hub.cli.desk import ConfigOption, desk
from hub.cli.exits import run
from hub.cli.output import Output, OutputOption, print_json, print_rows
from hub.ledger import account as accounts
from hub.ledger import threads
from hub.ledger.tables import document

_DOCUMENTS = ("entity", "number", "partner", "connection", "verdict", "state", "version", "code")
_DELIVERIES = ("target", "action", "state", "attempts", "external_id", "code")
_TIMELINE = ("at", "what", "about", "why")
_ACCOUNT = (
    "entity", "received", "delivered", "held", "dead", "duplicate", "rejected", "in_progress",
    "adds_up",
)  # fmt: skip


def trace(
    key: Annotated[
        str, typer.Argument(help="A PO, order, shipment, invoice, tracking or SSCC number.")
    ],
    config: ConfigOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show the thread of one purchase order: every document, attempt, hold and finding."""

    async def work() -> dict[str, Any]:
        async with desk(config) as at, at.engine.connect() as ledger:
            found = await threads.find(ledger, key)
            if found is None:
                raise Rejected("thread_unknown", key, "the ledger does not know this key")
            return thread_json(found)

    thread = run(work())
    if output is Output.JSON:
        print_json(thread)
        return
    print_rows(thread["timeline"], _TIMELINE, output, title=f"Thread of {key}")
    print_rows(thread["documents"], _DOCUMENTS, output, title="Documents")
    print_rows(thread["deliveries"], _DELIVERIES, output, title="Deliveries")


def documents(
    config: ConfigOption = None,
    entity: Annotated[str | None, typer.Option(help="order, shipment, invoice ...")] = None,
    state: Annotated[str | None, typer.Option(help="accepted, delivered, held, dead ...")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 100,
    output: OutputOption = Output.TABLE,
) -> None:
    """List documents, the newest first."""

    async def work() -> list[dict[str, Any]]:
        columns = [column for column in document.c if column.name != "canonical"]
        statement = sa.select(*columns).order_by(document.c.created_at.desc()).limit(limit)
        if entity:
            statement = statement.where(document.c.entity == entity)
        if state:
            statement = statement.where(document.c.state == state)
        async with desk(config) as at, at.engine.connect() as ledger:
            return [dict(row) for row in (await ledger.execute(statement)).mappings()]

    print_rows(run(work()), ("created_at", *_DOCUMENTS, "place"), output)


def account(config: ConfigOption = None, output: OutputOption = Output.TABLE) -> None:
    """Show what became of everything that was received; it must add up."""

    async def work() -> dict[str, dict[str, Any]]:
        async with desk(config) as at, at.engine.connect() as ledger:
            found = await accounts.balances(ledger)
            return {name: balance.as_dict() for name, balance in found.items()}

    found = run(work())
    if output is Output.JSON:
        print_json(found)
        return
    print_rows([{"entity": name, **row} for name, row in found.items()], _ACCOUNT, output)
