"""Connecting to NATS: patient where it may come, at an end where it never will."""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from canonical.errors import ConfigError, Retryable
from hub.frame import Frame
from hub.servers import binaries
from hub.settings.model import Servers
from tests.support.ports import free_port


async def test_a_command_gives_up_where_nats_does_not_answer() -> None:
    frame = Frame(f"nats://127.0.0.1:{free_port()}")
    with pytest.raises(Retryable, match="nats_unavailable"):
        await frame.start(patience=0.2)


async def test_a_wrong_password_is_an_error_and_not_a_wait(nats: str) -> None:
    place = urlsplit(nats).netloc.rpartition("@")[2]
    frame = Frame(f"nats://crossdock:not-the-password@{place}")
    with pytest.raises(ConfigError, match="nats_refused") as refused:
        await frame.start()
    assert "not-the-password" not in str(refused.value)


async def test_one_server_of_a_cluster_is_enough_to_start(nats: str) -> None:
    frame = Frame(f"nats://127.0.0.1:{free_port()}, {nats}")
    await frame.start(patience=20)
    assert frame.client.is_connected
    await frame.stop()


async def test_a_nats_that_takes_only_smaller_messages_than_ours_is_an_error(
    tmp_path: Path,
) -> None:
    port = free_port()
    (tmp_path / "nats.conf").write_text(f'host: "127.0.0.1"\nport: {port}\nmax_payload: 1048576\n')
    program = binaries.nats_server(Servers())
    server = await asyncio.create_subprocess_exec(
        program, "-c", tmp_path / "nats.conf", stderr=asyncio.subprocess.DEVNULL
    )
    frame = Frame(f"nats://127.0.0.1:{port}")
    try:
        with pytest.raises(ConfigError, match="nats_payload_small"):
            await frame.start(patience=20)
    finally:
        await frame.stop()
        server.terminate()
        await server.wait()
