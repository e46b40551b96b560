"""What a command works with: the site's configuration and its ledger, hub running or not."""

from __future__ import annotations

import getpass
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from canonical.errors import ConfigError, Retryable
from hub.archive import Archive
from hub.cli.known import known
from hub.clock import Clock, SystemClock
from hub.ledger import engine as ledgers
from hub.ledger.faults import is_passing
from hub.ledger.shared_clock import SharedClock
from hub.servers.addresses import Addresses, given_urls, masked
from hub.servers.reach import reach
from hub.settings.check import check
from hub.settings.loader import load
from hub.settings.model import Site

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", "-c", envvar="CROSSDOCK_CONFIG", help="The site's YAML file."),
]
_DEFAULT = Path("crossdock.yaml")


@dataclass(frozen=True, slots=True)
class Desk:
    """The site, its ledger, its archive and the time."""

    site: Site
    engine: AsyncEngine
    archive: Archive
    clock: Clock


def default_config() -> Path | None:
    """Return ``crossdock.yaml`` of the working directory, if it is there."""
    return _DEFAULT if _DEFAULT.is_file() else None


def site_of(config: Path | None) -> Site:
    """Read the configuration that a command was given, or ``crossdock.yaml`` here.

    Raises:
        ConfigError: ``config_missing``, or every mistake in the file.
    """
    path = config or _DEFAULT
    if not path.is_file():
        raise ConfigError("config_missing", str(path), "give --config FILE or set CROSSDOCK_CONFIG")
    loaded = load(path)
    check(loaded, known())
    return loaded.site


@asynccontextmanager
async def desk(config: Path | None) -> AsyncIterator[Desk]:
    """Open the ledger of a site: of the hub that runs, or with servers just for this command."""
    site = site_of(config)
    async with reach(site.data_dir, site.servers) as addresses, _at(site, addresses) as opened:
        yield opened


@asynccontextmanager
async def _at(site: Site, addresses: Addresses) -> AsyncIterator[Desk]:
    engine = ledgers.open_engine(
        addresses.database_url, pool_size=2, command_seconds=ledgers.LONG_SECONDS
    )  # a person who has waited long enough says so
    clock = SharedClock(engine, SystemClock())
    try:
        await _open(engine, clock, site, addresses)
        yield Desk(site, engine, Archive(site.data_dir / "archive"), clock)
    finally:
        await engine.dispose()


async def _open(engine: AsyncEngine, clock: SharedClock, site: Site, addresses: Addresses) -> None:
    """Find the ledger there and of our form.

    Raises:
        Retryable: ``server_unreachable``; `where` is its URL without credentials.
    """
    try:
        await ledgers.migrate(engine)
        await clock.agree()
    except (SQLAlchemyError, OSError) as error:
        if not is_passing(error):
            raise
        hint = "" if "postgres" in given_urls(site.servers) else "; is the hub running?"
        detail = f"the ledger cannot be reached ({type(error).__name__}){hint}"
        raise Retryable("server_unreachable", masked(addresses.database_url), detail) from error


def actor(given: str | None) -> str:
    """Return who acts: as given, or the operating system's user."""
    return given or os.environ.get("CROSSDOCK_ACTOR") or getpass.getuser()


def warn_if_idle(config: Path | None) -> None:
    """Say on stderr that nobody acts yet on what was just written, if no hub answers."""
    site = site_of(config)
    port = site.http.port
    try:
        with socket.create_connection((site.http.host, port), timeout=1):
            return
    except OSError:
        typer.echo(f"note: no hub answers on port {port}; it acts on this once it runs", err=True)
