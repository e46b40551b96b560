"""The processes of a hub in its world, by what they are: whose processor time is whose."""

from __future__ import annotations

import psutil

from tests.bench import cpu

_SERVERS = {"nats-server": "nats", "postgres": "postgres", "redis-server": "redis"}


def processes(hub: int, sandbox: int | None) -> dict[str, frozenset[int] | set[int]]:
    """Return group -> processes: those of the hub, its workers, the servers, the sandbox, this one.

    Args:
        hub: the process of the hub.
        sandbox: the process of the emulated systems.
    """
    found: dict[str, frozenset[int] | set[int]] = {
        "hub": {-hub},
        "workers": {child.pid for child in psutil.Process(hub).children()},
        "load": cpu.own(),
    }
    for child in psutil.Process().children():
        name = _SERVERS.get(child.name())
        if name is not None:
            found[name] = {child.pid}
    if sandbox is not None:
        found["sandbox"] = {sandbox}
    return found
