"""FastStream as the application frame: the NATS connection, its life, and what AsyncAPI describes.

JetStream itself is consumed by `hub/runner.py`: FastStream's pull subscriber was measured to end
messages on any exception, to spin once a connection closes for good, and to fall silent when a
consumer is deleted. `declare=False` everywhere: the topology is ours (`hub/topology.py`).
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Sequence
from typing import Any

import nats.errors
import structlog
from faststream import FastStream
from faststream.nats import JStream, NatsBroker
from nats.aio.client import Client

from canonical import DOCUMENTS
from canonical.envelope import VERBS, CloudEvent
from canonical.errors import ConfigError, Retryable
from hub.servers.addresses import masked
from hub.servers.nats import MAX_PAYLOAD
from hub.topology import ADVISORY, CANONICAL, canonical_subject

_ADVISORIES = "$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.>"
_TELL_SECONDS = 3.0
_PAUSE_SECONDS = 1.0
_KNOCK_SECONDS = 3


class Frame:
    """The FastStream application around one NATS connection."""

    def __init__(self, nats_url: str) -> None:
        self._urls = [url.strip() for url in nats_url.split(",")]
        self._broker = NatsBroker(
            self._urls,
            # Without end: with the default of 60 tries an outage of two minutes is for good.
            max_reconnect_attempts=-1,
            reconnect_time_wait=1,
            connect_timeout=3,
            # A half-open connection is found out within 9 s.
            ping_interval=3,
            max_outstanding_pings=2,
            pending_size=16 * 1024 * 1024,
            apply_types=False,
            logger=None,
            name="crossdock",
        )
        self.app = FastStream(self._broker, logger=None)
        self._log = structlog.get_logger("hub.frame")
        self._describe()

    @property
    def client(self) -> Client:
        """The NATS client, once started."""
        client: Client = self._broker.connection
        return client

    async def start(self, patience: float = math.inf) -> None:
        """Connect, and keep trying until NATS is there.

        Args:
            patience: seconds; a command gives up where the hub waits.

        Raises:
            ConfigError: ``nats_refused``: NATS is there and will not have us;
                ``nats_payload_small``: it takes no message of the size of ours.
            Retryable: ``nats_unavailable``: not within `patience`.
        """
        while True:
            began = time.monotonic()
            try:
                async with asyncio.timeout(None if math.isinf(patience) else patience):
                    await knock(self._urls)
                    await self._start_and_tell()
                    _check_payload(self.client.max_payload)
            except ConfigError:
                raise
            except Exception as error:  # whatever the driver raises: NATS is not there yet
                self._log.warning("nats_waits", error=type(error).__name__)
                patience -= time.monotonic() - began + _PAUSE_SECONDS
                if patience <= 0:
                    raise Retryable("nats_unavailable", "", "NATS does not answer") from error
                await asyncio.sleep(_PAUSE_SECONDS)
            else:
                return

    async def _start_and_tell(self) -> None:
        """Start, and say so while that waits: with tries without end the driver itself says nothing."""
        starting = asyncio.ensure_future(self.app.start())
        try:
            while not (await asyncio.wait({starting}, timeout=_TELL_SECONDS))[0]:
                self._log.warning("nats_waits", error="NoServersError")
            await starting
        finally:
            starting.cancel()
            await asyncio.gather(starting, return_exceptions=True)

    async def stop(self) -> None:
        """Close the connection; a server that is gone does not hold us up."""
        try:
            async with asyncio.timeout(5):
                await self.app.stop()
        except Exception as error:  # stopping must end, whatever the driver is doing
            self._log.warning("nats_closed", error=type(error).__name__)

    def _describe(self) -> None:
        """Declare what we publish and the one core subscription, so that AsyncAPI knows them."""
        stream = JStream(CANONICAL, declare=False)
        for entity in DOCUMENTS:
            for verb in VERBS[entity]:
                self._broker.publisher(
                    canonical_subject(entity, verb),
                    stream=stream,
                    schema=CloudEvent,
                    title=f"{entity}.{verb}",
                )
        self._broker.subscriber(
            _ADVISORIES, title="advisories", description=f"Also kept in {ADVISORY}."
        )(self._advisory)

    async def _advisory(self, body: Any) -> None:
        """Say that a message ran out of deliveries: none of our consumers has such a limit."""
        facts = body if isinstance(body, dict) else {}
        self._log.error("stranded_message", stream=facts.get("stream"), name=facts.get("consumer"))


def _check_payload(most: int) -> None:
    """Refuse a NATS that would never take the larger of our events.

    Raises:
        ConfigError: ``nats_payload_small``.
    """
    if most < MAX_PAYLOAD:
        detail = f"its max_payload is {most}, at least {MAX_PAYLOAD} is needed"
        raise ConfigError("nats_payload_small", "", detail)


async def knock(urls: Sequence[str]) -> None:
    """Connect once and hang up: with tries without end, a wrong password would wait for ever.

    Raises:
        ConfigError: ``nats_refused``: user, password or token is wrong.
        nats.errors.Error, OSError: NATS does not answer.
    """
    client = Client()
    refusals: list[Exception] = []

    async def note(error: Exception) -> None:
        refusals.append(error)

    try:
        await client.connect(
            list(urls),
            allow_reconnect=False,
            reconnect_time_wait=0,
            max_reconnect_attempts=1,
            connect_timeout=_KNOCK_SECONDS,
            error_cb=note,
        )
    except nats.errors.Error as error:
        # The driver has a class for it, and raises it only on a connection that stood already.
        if any("authorization" in str(each).lower() for each in (error, *refusals)):
            detail = "NATS refuses the user, password or token"
            raise ConfigError("nats_refused", masked(",".join(urls)), detail) from None
        raise
    finally:
        await client.close()
