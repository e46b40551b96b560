"""`crossdock run` and `crossdock send`: the hub itself, and handing it one file."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from canonical.errors import ConfigError, Rejected
from connectors.base import Receipt
from connectors.registry import CONNECTORS
from connectors.transports.folder import safe_name
from hub.app import ROLES, run_hub
from hub.cli.desk import ConfigOption, site_of
from hub.cli.exits import Exit, run
from hub.clock import SystemClock
from hub.frame import Frame
from hub.ids import new_id
from hub.intake.store import ReceiptStore
from hub.publisher import Publisher
from hub.servers.addresses import Addresses, find_running, masked
from hub.settings.model import PollTransport, Site
from hub.settings.names import did_you_mean
from hub.telemetry import logs

_PATIENCE_SECONDS = 10.0
"""How long `send` waits for NATS; the file stays with whoever sends it."""


class LogFormat(StrEnum):
    """How log lines are written."""

    JSON = "json"
    TEXT = "text"


class LogLevel(StrEnum):
    """Levels of the log."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


def run_command(
    config: ConfigOption = None,
    roles: Annotated[str, typer.Option(help="Some of these, with commas.")] = ",".join(ROLES),
    log_format: Annotated[LogFormat, typer.Option(help="One JSON object a line, or text.")] = (
        LogFormat.JSON
    ),
    log_level: Annotated[LogLevel, typer.Option(help="The lowest level shown.")] = LogLevel.INFO,
) -> None:
    """Run the hub until it is told to stop: one process with all roles, or many with some."""
    wanted = frozenset(role.strip() for role in roles.split(",") if role.strip())
    if not wanted or wanted - set(ROLES):
        for name in sorted(wanted - set(ROLES)):
            typer.echo(f"no such role: {name}{did_you_mean(name, ROLES)}", err=True)
        typer.echo(f"roles are some of: {', '.join(ROLES)}", err=True)
        raise typer.Exit(Exit.USAGE)
    logs.configure(json=log_format is LogFormat.JSON, level=log_level)

    async def work() -> None:
        await run_hub(site_of(config), wanted, announce)

    def announce(addresses: Addresses, port: int) -> None:
        typer.echo(
            f"crossdock is at work: http port {port}, nats {masked(addresses.nats_url)}, "
            f"roles {','.join(sorted(wanted))}"
        )

    run(work())


def send(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The file to send.")],
    connection: Annotated[str, typer.Option(help="The connection that it comes from.")],
    flow: Annotated[str, typer.Option(help="What it is, where its bytes do not say it.")] = "",
    config: ConfigOption = None,
) -> None:
    """Hand one file to the running hub as a receipt of a connection."""

    async def work() -> str:
        site = site_of(config)
        _taken_in(site, connection, flow)
        running = find_running(site.data_dir, site.servers)
        if running is None:
            raise ConfigError("hub_not_running", str(site.data_dir), "start it: crossdock run")
        return await _store(running, _receipt(file, connection, flow))

    typer.echo(f"stored as receipt {run(work())}")


def _taken_in(site: Site, name: str, flow: str) -> None:
    """Refuse at the door what no part of the hub could read.

    Raises:
        Rejected: ``connection_unknown``; of a polled connection, whose bytes do not say what they
            are: ``flow_missing``, ``flow_unknown``.
    """
    connection = site.connections.get(name)
    if connection is None:
        known = ", ".join(sorted(site.connections))
        raise Rejected("connection_unknown", name, f"known connections: {known}")
    if not isinstance(connection.transport, PollTransport):
        return
    offered = CONNECTORS[connection.system].capabilities.inbound
    if flow not in offered:
        code = "flow_unknown" if flow else "flow_missing"
        detail = f"{name} is polled; files of it are of a --flow: {', '.join(sorted(offered))}"
        raise Rejected(code, "--flow", detail)


def _receipt(file: Path, connection: str, flow: str) -> Receipt:
    now = SystemClock().now()
    body = file.read_bytes()
    return Receipt(
        id=new_id(int(now.timestamp() * 1000)),
        connection=connection,
        delivery_id=f"cli:{safe_name(file.name)}:{len(body)}",
        received_at=now,
        body=body,
        flow=flow,
        facts={"file": safe_name(file.name)},
    )


async def _store(addresses: Addresses, receipt: Receipt) -> str:
    frame = Frame(addresses.nats_url)
    await frame.start(_PATIENCE_SECONDS)
    try:
        js = frame.client.jetstream()
        await ReceiptStore(js, Publisher(frame.client, js)).save(receipt)
    finally:
        await frame.stop()
    return receipt.id
