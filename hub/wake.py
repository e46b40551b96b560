"""Waking a target's deliveries: each target has a durable consumer, and any event wakes it.

The message is acknowledged at once. The pending row in the ledger is the durable queue, so a lost
wake-up costs at most a second, and waits of hours need neither a nak nor a place among the
consumer's pending messages.
"""

from __future__ import annotations

import asyncio

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext

from hub import topology
from hub.delivery.role import DeliverRole
from hub.runner import PullRunner


class WakeRunner:
    """Runs the wake consumer of one target."""

    def __init__(
        self, client: Client, js: JetStreamContext, target: str, role: DeliverRole
    ) -> None:
        self._js = js
        self._config = topology.wake_consumer(target)
        self._role = role
        name = str(self._config.durable_name)
        self._runner = PullRunner(client, topology.CANONICAL, name, self._declare)

    async def run(self, stop: asyncio.Event) -> None:
        """Wake until stopped."""
        await self._declare()
        await self._runner.run(self._wake, stop)

    async def _declare(self) -> None:
        await topology.declare_consumer(self._js, topology.CANONICAL, self._config)

    async def _wake(self, messages: list[Msg]) -> None:
        self._role.wake()
        for message in messages:
            await message.ack()
