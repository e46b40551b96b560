"""The command line's own table of contents."""

from __future__ import annotations

import typer

from hub.cli import (
    config,
    contract,
    deliveries,
    demo,
    doctor,
    edi,
    hold,
    ledger,
    look,
    map,  # noqa: A004
    rebuild,
    reconcile,
    run,
    schema,
)
from hub.telemetry import logs


def build() -> typer.Typer:
    """Return the `crossdock` application with the hub's own commands."""
    app = typer.Typer(
        name="crossdock",
        help="The integration hub for distributors.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        add_completion=False,
    )
    app.callback()(quiet)
    app.command("demo")(demo.demo)
    app.command("run")(run.run_command)
    app.command("doctor")(doctor.doctor)
    app.command("send")(run.send)
    app.command("trace")(look.trace)
    app.command("documents")(look.documents)
    app.command("deliveries")(deliveries.deliveries)
    app.command("account")(look.account)
    app.command("rebuild")(rebuild.rebuild)
    app.add_typer(hold.app, name="hold")
    app.add_typer(edi.app, name="edi")
    app.add_typer(reconcile.app, name="reconcile")
    app.add_typer(map.app, name="map")
    app.add_typer(schema.app, name="schema")
    app.add_typer(contract.app, name="contract")
    app.add_typer(contract.partner, name="partner")
    app.add_typer(config.app, name="config")
    app.add_typer(ledger.app, name="ledger")
    return app


def quiet() -> None:
    """Keep what the hub's parts log out of a command's output; `run` sets its own."""
    logs.configure(json=False, level="error")
