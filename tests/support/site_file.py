"""A site's YAML file for commands that run against the tests' own servers."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import yaml
from typer.testing import CliRunner, Result

from dlq_tools.main import build
from hub.servers.addresses import Addresses


def environment(addresses: Addresses) -> dict[str, str]:
    """What tells a command where the servers are."""
    return {
        "NATS_URL": addresses.nats_url,
        "DATABASE_URL": addresses.database_url,
        "REDIS_URL": addresses.redis_url,
    }


def write_site(folder: Path, **sections: Any) -> Path:
    """Write a site with one X12 connection, whose books are its own; return its file."""
    connection = {
        "system": "x12",
        "partner": "acme",
        "options": {"our_id": "US", "partner_id": "ACME"},
        "transport": {"kind": "folder", "inbox": str(folder / "in")},
    }
    site = {
        "data_dir": str(folder),
        "control_points": {"reference": "acme-edi"},
        "partners": {"acme": {"name": "Acme"}},
        "connections": {"acme-edi": connection},
    }
    path = folder / "crossdock.yaml"
    path.write_text(yaml.safe_dump(site | sections))
    return path


async def command(site: Path, *arguments: str) -> Result:
    """Run a command of `crossdock` on a site."""
    words = [*arguments, "--config", str(site)]
    return await asyncio.to_thread(CliRunner().invoke, build(), words)
