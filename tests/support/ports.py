"""Free ports for what tests start."""

from __future__ import annotations

from hub.servers.ports import free_ports


def free_port() -> int:
    """A loopback port that is free at this moment."""
    return free_ports(1)[0]
