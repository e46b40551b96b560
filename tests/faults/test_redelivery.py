"""What a handler leaves behind that breaks: its messages come again, whoever broke it."""

from __future__ import annotations

import asyncio

import nats as nats_client
from nats.aio.msg import Msg

from hub import topology
from hub.publisher import Outgoing, Publisher
from hub.runner import PullRunner


async def test_a_message_whose_handler_raised_comes_again_although_nobody_gave_it_back(
    nats: str,
) -> None:
    client = await nats_client.connect(nats, connect_timeout=10)
    js = client.jetstream()
    await topology.declare(js, "ledger-1", topology.Sizes())
    stop, tries = asyncio.Event(), list[bytes]()

    async def declare() -> None:
        config = topology.normalize_consumer(ack_wait=0.5)
        await topology.declare_consumer(js, topology.INTAKE, config)

    async def handle(messages: list[Msg]) -> None:
        tries.extend(message.data for message in messages)
        if len(tries) == 1:
            raise OSError("the ledger blinked")
        for message in messages:
            await message.ack()
        stop.set()

    await declare()
    await Publisher(client, js).publish([Outgoing("intake.test.file", b"x", "id-1")])
    runner = PullRunner(client, topology.INTAKE, topology.NORMALIZE, declare)
    async with asyncio.timeout(20):
        await runner.run(handle, stop)
    assert tries == [b"x", b"x"]
    await client.close()
