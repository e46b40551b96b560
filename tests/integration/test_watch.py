"""The watch over the streams: it makes again what is gone, and ends a process that cannot go on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import nats as nats_client
import pytest
from nats.aio.client import Client
from nats.js import JetStreamContext

from canonical.errors import ConfigError, Retryable
from hub import topology
from hub.clock import SystemClock
from hub.settings.model import StreamLimits
from hub.telemetry.metrics import Metrics
from hub.watch import Streams, StreamWatch, sizes
from tests.support.ledgers import SITE


@dataclass
class Watched:
    """A watch over fresh streams."""

    client: Client
    js: JetStreamContext
    watch: StreamWatch

    def another(self, ledger: str = "ledger-1") -> StreamWatch:
        """The watch of another process."""
        return StreamWatch(self.client, streams(self.js, ledger), Metrics())

    async def wipe(self) -> None:
        """Lose all streams."""
        for info in await self.js.streams_info():
            await self.js.delete_stream(str(info.config.name))

    async def names(self) -> set[str]:
        """The streams that are there."""
        return {str(info.config.name) for info in await self.js.streams_info()}


def streams(js: JetStreamContext, ledger: str = "ledger-1", replicas: int = 1) -> Streams:
    return Streams(js, ledger, topology.Sizes(replicas=replicas), SystemClock())


@pytest.fixture
async def at(nats: str) -> AsyncIterator[Watched]:
    client = await nats_client.connect(nats)
    js = client.jetstream()
    await streams(js).ready()
    yield Watched(client, js, StreamWatch(client, streams(js), Metrics()))
    if not client.is_closed:
        await client.close()


async def test_streams_that_are_gone_are_made_again(at: Watched) -> None:
    before = await at.names()
    await at.wipe()
    await at.watch.look()
    assert await at.names() == before
    assert at.watch.intact


async def test_it_tells_how_full_each_stream_is(nats: str) -> None:
    client = await nats_client.connect(nats)
    js, metrics = client.jetstream(), Metrics()
    small = Streams(js, "ledger-1", topology.Sizes(intake=10_000), SystemClock())
    await small.ready()
    await js.publish("intake.x.y", b"x" * 5_000)
    await StreamWatch(client, small, metrics).look()
    await client.close()

    def fill(stream: str) -> float:
        found = metrics.registry.get_sample_value("crossdock_stream_fill", {"stream": stream})
        assert found is not None
        return found

    assert 0.5 < fill(topology.INTAKE) < 0.6
    assert fill(topology.CANONICAL) == 0


def test_a_site_says_how_large_its_streams_grow() -> None:
    limits = {"canonical_gib": 0.5, "canonical_days": 2, "intake_gib": 1}
    site = SITE.model_copy(update={"streams": StreamLimits.model_validate(limits)})
    assert sizes(SITE) == topology.Sizes()
    assert sizes(site) == topology.Sizes(canonical=2**29, canonical_seconds=172_800.0, intake=2**30)


async def test_replicas_that_find_out_together_make_them_once(at: Watched) -> None:
    before = await at.names()
    await at.wipe()
    watches = [at.another() for _ in range(4)]
    await asyncio.gather(*(watch.look() for watch in watches))
    assert await at.names() == before
    assert all(watch.intact for watch in watches)


async def test_a_stream_made_again_begins_beyond_all_that_were_there(at: Watched) -> None:
    before = (await at.js.stream_info(topology.INTAKE)).state.last_seq
    await at.wipe()
    await at.watch.look()
    assert (await at.js.stream_info(topology.INTAKE)).state.first_seq > before + 1


async def test_a_connection_that_the_driver_gave_up_ends_the_process(at: Watched) -> None:
    await at.client.close()
    with pytest.raises(Retryable, match="nats_closed"):
        await at.watch.run(asyncio.Event())


async def test_streams_of_another_ledger_end_the_process(at: Watched) -> None:
    with pytest.raises(ConfigError, match="foreign_stream"):
        await at.another("ledger-2").run(asyncio.Event())


async def test_more_copies_than_servers_are_refused_with_the_servers_reason(at: Watched) -> None:
    await at.wipe()
    with pytest.raises(ConfigError, match=r"stream_refused.*replicas"):
        await streams(at.js, replicas=3).ready()
