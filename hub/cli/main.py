"""The command line's own table of contents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import typer

from hub.cli.lazy import Entry, LazyGroup


class HubCommands(LazyGroup):
    """The hub's own commands, in the order in which the help shows them."""

    entries: ClassVar[Mapping[str, Entry]] = {
        "demo": Entry(
            "hub.cli.demo:demo",
            "Play a distributor's day against an emulated world, and account for every document.",
        ),
        "run": Entry(
            "hub.cli.run:run_command",
            "Run the hub until it is told to stop: one process with all roles, or many with some.",
        ),
        "doctor": Entry(
            "hub.cli.doctor:doctor",
            "Look at everything that the hub needs; exit code 1 if something would stop it.",
        ),
        "send": Entry(
            "hub.cli.run:send", "Hand one file to the running hub as a receipt of a connection."
        ),
        "trace": Entry(
            "hub.cli.look:trace",
            "Show the thread of one purchase order: every document, attempt, hold, finding, quantity.",
        ),
        "documents": Entry("hub.cli.look:documents", "List documents, the newest first."),
        "deliveries": Entry(
            "hub.cli.deliveries:deliveries",
            "List deliveries that are not done, the oldest first: what is in doubt, what waits and why.",
        ),
        "account": Entry(
            "hub.cli.look:account",
            "Show what became of everything that was received; it must add up.",
        ),
        "rebuild": Entry(
            "hub.cli.rebuild:rebuild",
            "Make the streams again and publish what the ledger knows and they lack.",
        ),
        "hold": Entry("hub.cli.hold:app", "Held documents: list, show, release, reject."),
        "edi": Entry("hub.cli.edi:app", "EDI: files looked into, acknowledgements, gaps."),
        "reconcile": Entry("hub.cli.reconcile:app", "Reconciliation: run jobs, report findings."),
        "map": Entry("hub.cli.map:app", "Prove, try and check mappings."),
        "schema": Entry(
            "hub.cli.schema:app", "JSON Schema and AsyncAPI of what the hub publishes."
        ),
        "contract": Entry("hub.cli.contract:app", "Check what partners rely on."),
        "partner": Entry("hub.cli.contract:partner", "Take on partners."),
        "config": Entry("hub.cli.config:app", "Check and show a site's configuration."),
        "ledger": Entry("hub.cli.ledger:app", "The ledger itself."),
    }


def build(commands: type[LazyGroup] = HubCommands) -> typer.Typer:
    """Return the `crossdock` application: with the hub's own commands, or with those given."""
    app = typer.Typer(
        name="crossdock",
        cls=commands,
        help="The integration hub for distributors.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        add_completion=False,
    )
    app.callback()(quiet)
    return app


def quiet() -> None:
    """Keep what the hub's parts log out of a command's output; `run` sets its own."""
    from hub.telemetry import logs

    logs.configure(json=False, level="error")
