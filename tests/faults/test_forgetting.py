"""What NATS forgets: ids at a restart, or everything when its directory is lost (rows 12 and 14)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import nats as nats_client
import pytest

from hub import topology
from hub.publisher import Outgoing, Publisher
from tests.faults.servers import OwnServers
from tests.support.databases import in_thread


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[OwnServers]:
    made = OwnServers(tmp_path)
    made.start("nats")
    yield made
    made.close()


async def published(url: str, *, acknowledge: bool) -> int:
    """Publish one receipt, perhaps acknowledge it as the hub does; how many were ever stored."""
    client = await nats_client.connect(url, connect_timeout=10)
    try:
        js = client.jetstream(timeout=10)
        await topology.declare(js, "ledger-1", topology.Sizes())
        config = topology.normalize_consumer()
        await topology.declare_consumer(js, topology.INTAKE, config)
        await Publisher(client, js).publish([Outgoing("intake.test.file", b"x", "id-1")])
        if acknowledge:
            inbox = await js.pull_subscribe_bind(topology.NORMALIZE, topology.INTAKE)
            for message in await inbox.fetch(1, timeout=10):
                await message.ack_sync()
        return int((await js.stream_info(topology.INTAKE)).state.last_seq)
    finally:
        await client.close()


def test_12_a_message_that_was_acknowledged_is_still_known_after_a_restart_of_nats(
    servers: OwnServers,
) -> None:
    url = servers.addresses.nats_url
    assert in_thread(lambda: published(url, acknowledge=True)) == 1
    servers.kill("nats")
    servers.start("nats")
    assert in_thread(lambda: published(url, acknowledge=False)) == 1


def test_14_a_wiped_nats_gets_its_streams_again_and_takes_messages(
    servers: OwnServers,
) -> None:
    url = servers.addresses.nats_url
    in_thread(lambda: published(url, acknowledge=False))
    servers.kill("nats")
    servers.wipe("nats")
    servers.start("nats")
    assert in_thread(lambda: published(url, acknowledge=False)) == 1
