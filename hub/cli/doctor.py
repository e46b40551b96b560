"""`crossdock doctor`: whether this machine and this site are fit to run the hub."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from canonical.errors import HubError
from hub.agreements import as2_partners
from hub.cli.config import find_problems
from hub.cli.desk import default_config
from hub.cli.exits import Exit
from hub.cli.output import Output, OutputOption, print_json, print_rows
from hub.mapping.engine import check_engines
from hub.servers import binaries
from hub.servers.addresses import Addresses, find_running, masked
from hub.servers.ports import is_free
from hub.servers.versions import MINIMUM, server_version
from hub.settings.loader import load, read
from hub.settings.model import FolderTransport, Http, Servers, Site

_PYTHON = (3, 11)
_LOW_BYTES = 5 * 2**30
_FULL_BYTES = 2**30
_MIN_FILES = 1024
_LAST_DAYS = 30
"""Partners need weeks to take a new certificate."""


class State(StrEnum):
    """What a finding means for running the hub."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    what: str
    state: State
    detail: str


def doctor(
    config: Annotated[
        Path | None,
        typer.Option("--config", "-c", envvar="CROSSDOCK_CONFIG", help="The site's YAML file."),
    ] = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Look at everything that the hub needs; exit code 1 if something would stop it."""
    findings = list(examine(config or default_config()))
    failed = any(finding.state is State.FAILED for finding in findings)
    rows = [asdict(finding) for finding in findings]
    if output is Output.JSON:
        print_json({"ok": not failed, "findings": rows})
    else:
        print_rows(rows, ("what", "state", "detail"), output)
    raise typer.Exit(Exit.FAILURE if failed else Exit.OK)


def examine(config: Path | None) -> Iterator[Finding]:
    """Look at Python, the mapping engines, the site, its folders, servers, ports and disk."""
    yield _python()
    yield _guarded("mapping engines", _engines)
    yield _open_files()
    if config is None:
        text = "none given; what follows is about the defaults"
        yield Finding("configuration", State.WARNING, text)
        yield from _site(Path(".crossdock"), Servers(), Http())
        return
    problems = find_problems(config, secrets=True)
    for problem in problems:
        yield Finding("configuration", State.FAILED, str(problem))
    if not problems:
        yield Finding("configuration", State.OK, str(config))
        yield from _certificates(load(config).site, datetime.now(UTC))
    site = _readable(config)
    if site is not None:
        yield from _folders(site)
        yield from _site(site.data_dir, site.servers, site.http)


def _readable(config: Path) -> Site | None:
    """What can be read of a site, whatever is wrong with the rest; None: nothing."""
    try:
        loaded, _ = read(config)
    except HubError:
        return None
    return None if loaded is None else loaded.site


def _site(data_dir: Path, servers: Servers, http: Http) -> Iterator[Finding]:
    yield _disk(data_dir)
    try:
        running = find_running(data_dir, servers)
    except HubError as error:
        yield Finding("servers", State.FAILED, str(error))
        return
    if running is None:
        yield from _programs(servers)
        yield _port(http)
    else:
        yield from asyncio.run(_reachable(running))


def _certificates(site: Site, now: datetime) -> Iterator[Finding]:
    """How long each side of an AS2 agreement can still be trusted."""
    for name, partner in as2_partners(site).items():
        ours = [key.certificate for key in partner.agreement.our_keys]
        for whose, choices in (("our", ours), ("their", partner.agreement.certificates)):
            until = max(each.not_valid_after_utc for each in choices)
            days = (until - now).days
            state = State.OK if days >= _LAST_DAYS else State.WARNING
            detail = f"the last one is valid until {until:%Y-%m-%d}, {days} days"
            yield Finding(f"{whose} certificates, {name}", state, detail)


def _folders(site: Site) -> Iterator[Finding]:
    """Whether partners' folders are there: the hub makes none, a missing one may be a lost mount."""
    for name, connection in site.connections.items():
        if not isinstance(connection.transport, FolderTransport):
            continue
        sides = {"inbox": connection.transport.inbox, "outbox": connection.transport.outbox}
        for side, folder in sides.items():
            if folder is not None:
                yield _folder(f"{side}, {name}", folder)


def _folder(what: str, folder: Path) -> Finding:
    if not folder.is_dir():
        return Finding(what, State.FAILED, f"{folder} is not there, or no folder")
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        return Finding(what, State.FAILED, f"{folder} cannot be read and written to")
    return Finding(what, State.OK, str(folder))


def _guarded(what: str, look: Callable[[], str]) -> Finding:
    """What a look found; an error of ours is a failure."""
    try:
        return Finding(what, State.OK, look())
    except HubError as error:
        return Finding(what, State.FAILED, str(error))


def _python() -> Finding:
    fine = sys.version_info >= _PYTHON
    return Finding("python", State.OK if fine else State.FAILED, sys.version.split()[0])


def _engines() -> str:
    check_engines()
    return "the ones that the mappings were proved on"


def _open_files() -> Finding:
    allowed = os.sysconf("SC_OPEN_MAX")
    state = State.OK if allowed >= _MIN_FILES else State.WARNING
    return Finding("open files", state, f"{allowed} allowed, {_MIN_FILES} wanted")


def _disk(data_dir: Path) -> Finding:
    folder = next(f for f in (data_dir, *data_dir.absolute().parents) if f.exists())
    if not os.access(folder, os.W_OK):
        return Finding("data folder", State.FAILED, f"{folder} cannot be written to")
    free = shutil.disk_usage(folder).free
    state = State.FAILED if free < _FULL_BYTES else State.WARNING
    detail = f"{data_dir}, {free / 2**30:.1f} GiB free"
    return Finding("data folder", State.OK if free >= _LOW_BYTES else state, detail)


def _port(http: Http) -> Finding:
    free = http.port == 0 or is_free(http.port)
    said = "free" if free else "taken by another program"
    return Finding("http port", State.OK if free else State.FAILED, f"{http.port} is {said}")


def _programs(servers: Servers) -> Iterator[Finding]:
    """The programs of the servers that the hub would start."""
    given = {"nats": servers.nats_url, "postgres": servers.database_url, "redis": servers.redis_url}
    find = {
        "nats": lambda: binaries.nats_server(servers),
        "postgres": lambda: binaries.postgres(servers, "postgres"),
        "redis": lambda: binaries.redis_server(servers),
    }
    for name, look in find.items():
        if not given[name]:
            yield _program(name, look)


def _program(name: str, find: Callable[[], Path]) -> Finding:
    try:
        program = find()
        found = binaries.version(program)
    except HubError as error:
        return Finding(f"{name} program", State.FAILED, str(error))
    return _version(f"{name} program", name, found, str(program))


async def _reachable(addresses: Addresses) -> list[Finding]:
    urls = {
        "nats": addresses.nats_url,
        "postgres": addresses.database_url,
        "redis": addresses.redis_url,
    }
    return [await _server(name, url, addresses) for name, url in urls.items()]


async def _server(name: str, url: str, addresses: Addresses) -> Finding:
    try:
        found = await server_version(name, addresses)
    except HubError as error:
        # Without Redis the hub is only slower.
        state = State.WARNING if name == "redis" else State.FAILED
        return Finding(f"{name} server", state, str(error))
    return _version(f"{name} server", name, found, masked(url))


def _version(what: str, name: str, found: binaries.Version, place: str) -> Finding:
    state = State.OK if found >= MINIMUM[name] else State.FAILED
    least = ".".join(map(str, MINIMUM[name]))
    return Finding(what, state, f"{'.'.join(map(str, found))} (at least {least}), {place}")
