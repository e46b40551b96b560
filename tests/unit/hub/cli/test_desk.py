"""A command whose ledger is not there says which one, and asks only what may be the cause."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.servers.ports import free_ports
from tests.support.site_file import command, write_site


async def test_a_ledger_that_is_not_there_is_named_without_its_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (port,) = free_ports(1)
    monkeypatch.setenv("DATABASE_URL", f"postgresql://hub:hunter2@127.0.0.1:{port}/ledger")
    monkeypatch.setenv("NATS_URL", f"nats://127.0.0.1:{port}")
    monkeypatch.setenv("REDIS_URL", f"redis://127.0.0.1:{port}")
    said = await command(write_site(tmp_path), "hold", "ls")
    assert said.exit_code == 1
    assert "server_unreachable at postgresql://" in said.stderr
    assert f"127.0.0.1:{port}" in said.stderr
    assert "the ledger cannot be reached (ConnectionRefusedError)" in said.stderr
    assert "is the hub running" not in said.stderr
    assert "hunter2" not in said.stderr
