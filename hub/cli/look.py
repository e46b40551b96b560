"""`crossdock trace`, `documents` and `account`: where things stand."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from canonical.errors import Rejected
from hub.cli.choices import one_of
from hub.cli.desk import ConfigOption, desk
from hub.cli.exits import run
from hub.cli.listing import print_listed, short
from hub.cli.output import Output, OutputOption, print_json, print_rows, printable
from hub.ledger import account as accounts
from hub.ledger import threads, under_way
from hub.ledger.document_words import ENTITIES, DocumentState
from hub.ledger.documents import listing
from hub.ledger.tables import document
from hub.reconcile.forms import Form, Forms
from hub.reconcile.trace import as_json, lines

_DOCUMENTS = ("entity", "number", "partner", "connection", "verdict", "state", "version", "code")
_DELIVERIES = (
    "id", "target", "action", "state", "attempts", "external_id", "code", "next_at", "waiting",
)  # fmt: skip
_FINDINGS = ("id", "job", "state", "amount", "currency", "owner", "cause", "remedy")
_LINES = (
    "line", "item", "unit", "ordered", "cancelled", "open", "backordered", "shipped", "over",
    "invoiced", "credited", "to_invoice", "adds_up",
)  # fmt: skip
_CONVERSIONS = (
    "line", "kind", "document", "value", "unit", "factor", "to_value", "to_unit", "rule",
)  # fmt: skip
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
    form: Annotated[
        list[Form] | None,
        typer.Option(help="Also the documents in this form; they may hold personal data."),
    ] = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show the thread of one purchase order: every document, attempt, hold, finding, quantity."""

    async def work() -> dict[str, Any]:
        async with desk(config) as at, at.engine.connect() as ledger:
            found = await threads.find(ledger, key)
            if found is None:
                raise Rejected("thread_unknown", key, "the ledger does not know this key")
            thread = as_json(found) | {"lines": await lines(ledger, at.site, found.references)}
            if form:
                thread["forms"] = await Forms(ledger, at.archive, at.site).of(found, form)
            return thread

    thread = run(work())
    if output is Output.JSON:
        print_json(thread)
        return
    _print_thread(key, thread)


def _print_thread(key: str, thread: dict[str, Any]) -> None:
    """Print tables; those that would be empty are left out."""
    converted = [
        {"line": line["line"], **each} for line in thread["lines"] for each in line["conversions"]
    ]
    for title, rows, columns in (
        (f"Thread of {key}", thread["timeline"], _TIMELINE),
        ("Documents", thread["documents"], _DOCUMENTS),
        ("Deliveries", thread["deliveries"], _DELIVERIES),
        ("Findings", thread["findings"], _FINDINGS),
        ("Line quantities", thread["lines"], _LINES),
        ("Units converted", converted, _CONVERSIONS),
    ):
        if rows:
            print_rows(short(rows), columns, Output.TABLE, title=title)
    for each in thread.get("forms", ()):
        name = " ".join(filter(None, (each["form"], each["entity"], each["number"])))
        to = f" to {each['target']}" if "target" in each else ""
        typer.echo(f"--- {name}{to}")
        print_form(each)


def print_form(form: dict[str, Any]) -> None:
    """Print one form: JSON as JSON, text as it is, but for what would move a terminal's cursor."""
    if "json" in form:
        print_json(form["json"])
    else:
        text = form.get("text") or form.get("base64") or form.get("code", "")
        typer.echo(printable(text, keep="\r\n\t"))


def documents(
    config: ConfigOption = None,
    entity: Annotated[
        str | None, typer.Option(help="order, shipment, invoice ...", callback=one_of(ENTITIES))
    ] = None,
    state: Annotated[DocumentState | None, typer.Option(help="Only in this state.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 100,
    output: OutputOption = Output.TABLE,
) -> None:
    """List documents, the newest first."""

    async def work() -> list[dict[str, Any]]:
        columns = [column for column in document.c if column.name != "canonical"]
        async with desk(config) as at, at.engine.connect() as ledger:
            rows = await listing(ledger, columns, entity=entity, state=state, limit=limit)
            waits = await under_way.waiting(ledger, [row["id"] for row in rows])
            return [dict(row) | {"waiting": waits.get(row["id"])} for row in rows]

    columns = ("created_at", *_DOCUMENTS, "place", "waiting")
    print_listed(run(work()), columns, output, "no document matches")


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
