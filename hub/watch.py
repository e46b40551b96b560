"""Watches what NATS can lose under a running hub: its streams, and the connection for good.

A server whose storage was wiped answers as before, and refuses every publish: its streams are gone.
Nobody who only looks at the connection sees that. So they are looked at every few seconds, made
again from the ledger's identity, and somebody is told: what was accepted and not decided is lost
(`docs/operations.md`), and listeners miss events that `crossdock rebuild` publishes again.

Codes: ``stream_refused`` (NATS will never make such a stream, for instance with more copies than
it has servers), ``nats_closed`` (the driver gave the connection up); `hub/topology.py` adds its own.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import nats.errors
import structlog
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.errors import APIError, BadRequestError

from canonical.errors import ConfigError, Retryable
from hub import topology
from hub.clock import Clock
from hub.settings.model import Site
from hub.telemetry.metrics import Metrics

_EVERY_SECONDS = 5.0
_PAUSE_SECONDS = 1.0
_GIB = 1024**3
_DAY = 86_400.0
_NO_CLUSTER = 10074
"""The server's err_code: more than one copy, and no cluster; it calls that its own fault (500)."""


def sizes(site: Site) -> topology.Sizes:
    """Return how large a site lets its streams grow."""
    limits = site.streams
    return topology.Sizes(
        intake=int(limits.intake_gib * _GIB),
        canonical=int(limits.canonical_gib * _GIB),
        dead=int(limits.dead_gib * _GIB),
        bodies=int(limits.bodies_gib * _GIB),
        canonical_seconds=limits.canonical_days * _DAY,
        replicas=site.servers.replicas,
    )


@dataclass(frozen=True, slots=True)
class Streams:
    """The streams of one hub on one ledger."""

    js: JetStreamContext
    ledger_id: str
    sizes: topology.Sizes
    clock: Clock

    async def ready(self) -> None:
        """Make or update them; a cluster that has no leader yet is waited for.

        Raises:
            ConfigError: ``foreign_stream``, ``stream_refused``.
        """
        while True:
            try:
                await self.declare()
            except (nats.errors.Error, OSError) as error:
                structlog.get_logger("hub.watch").warning("nats_waits", error=type(error).__name__)
                await asyncio.sleep(_PAUSE_SECONDS)
            else:
                return

    async def declare(self) -> list[str]:
        """Make or update them once; the names of those that were not there.

        Raises:
            ConfigError: ``foreign_stream``, ``stream_refused``.
            nats.errors.Error: NATS did not answer, or not yet.
        """
        first = int(self.clock.now().timestamp() * 1_000_000)
        try:
            return await topology.declare(self.js, self.ledger_id, self.sizes, first)
        except APIError as error:
            if isinstance(error, BadRequestError) or error.err_code == _NO_CLUSTER:
                raise ConfigError("stream_refused", "", error.description or "") from error
            raise

    async def fills(self) -> dict[str, float | None]:
        """Return how full each is, of 1; None: it is not there.

        Raises:
            ConfigError: ``foreign_stream``.
            nats.errors.Error: NATS did not answer.
        """
        return await topology.fills(self.js, self.ledger_id)


class StreamWatch:
    """Looks after the streams, in every process of a hub."""

    def __init__(self, client: Client, streams: Streams, metrics: Metrics) -> None:
        self._client = client
        self._streams = streams
        self._repaired = metrics.repaired
        self._fill = metrics.stream_fill
        self._log = structlog.get_logger("hub.watch")
        self.intact = True
        """Whether all streams were there at the last look."""

    async def run(self, stop: asyncio.Event, every: float = _EVERY_SECONDS) -> None:
        """Look every few seconds until stopped.

        An error ends the process: the driver never connects again by itself, and a hub on another
        ledger's streams would acknowledge orders that it never published.

        Raises:
            Retryable: ``nats_closed``.
            ConfigError: ``foreign_stream``, ``stream_refused``.
        """
        while not stop.is_set():
            if self._client.is_closed:
                raise Retryable("nats_closed", "", "the driver gave the connection up")
            try:
                await self.look()
            except (nats.errors.Error, OSError) as error:  # NATS is away: `nats` of /readyz
                self._log.info("watch_waits", error=type(error).__name__)
            try:
                async with asyncio.timeout(every):
                    await stop.wait()
            except TimeoutError:
                continue

    async def look(self) -> None:
        """Make again what is gone, and say how full the rest is.

        Raises:
            ConfigError: ``foreign_stream``, ``stream_refused``.
            nats.errors.Error: NATS did not answer.
        """
        if not self._client.is_connected:
            return
        fills = await self._streams.fills()
        for name, fill in fills.items():
            self._fill.labels(name).set(fill or 0.0)
        gone = [name for name, fill in fills.items() if fill is None]
        if gone:
            self.intact = False
            self._log.error("stream_lost", stream=", ".join(gone))
            for name in await self._streams.declare():
                self._repaired.labels(name).inc()
        self.intact = True
