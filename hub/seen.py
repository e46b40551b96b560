"""Redis as an accelerator: answers the obvious repeat early, and is never believed alone.

What it says is confirmed by the ledger (`inbox.count_redelivery`), and it is told only after the
commit: a key remembered before its effect is committed loses data. Redis slow, empty or gone
costs speed and nothing else: 50 ms at most per question, then a pause before the next try.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from connectors.base import Receipt
from hub.clock import Clock

_TTL_SECONDS = 86_400
_PAUSE_SECONDS = 5.0
_TIMEOUT_SECONDS = 0.05


class Seen:
    """Which deliveries have been decided lately: delivery identity and bytes -> receipt id."""

    def __init__(self, redis: Redis | None, clock: Clock) -> None:
        self._redis = redis
        self._clock = clock
        self._paused_until = 0.0
        self._log = structlog.get_logger("hub.seen")

    @classmethod
    def at(cls, url: str, clock: Clock) -> Seen:
        """Return the accelerator at a Redis URL; nothing is connected yet."""
        client = Redis.from_url(
            url, socket_timeout=_TIMEOUT_SECONDS, socket_connect_timeout=_TIMEOUT_SECONDS
        )
        return cls(client, clock)

    async def find(self, receipt: Receipt) -> str | None:
        """Return the id of a decided receipt with the same delivery identity and bytes, perhaps."""
        if self._redis is None or self._clock.monotonic() < self._paused_until:
            return None
        try:
            found = await self._redis.get(_key(receipt))
        except (RedisError, OSError, TimeoutError) as error:
            self._pause(error)
            return None
        return found.decode() if isinstance(found, bytes) else None

    async def remember(self, receipts: Sequence[Receipt]) -> None:
        """Remember receipts whose outcome is committed."""
        if self._redis is None or not receipts or self._clock.monotonic() < self._paused_until:
            return
        try:
            async with self._redis.pipeline(transaction=False) as pipe:
                for receipt in receipts:
                    pipe.set(_key(receipt), receipt.id, ex=_TTL_SECONDS, nx=True)
                await pipe.execute()
        except (RedisError, OSError, TimeoutError) as error:
            self._pause(error)

    async def ping(self) -> bool:
        """Return whether Redis answers."""
        return self._redis is not None and bool(await self._redis.ping())

    async def close(self) -> None:
        """Release the connections."""
        if self._redis is not None:
            await self._redis.aclose()

    def _pause(self, error: Exception) -> None:
        self._paused_until = self._clock.monotonic() + _PAUSE_SECONDS
        self._log.warning("redis_slow_path", error=type(error).__name__)


def digest_of(receipt: Receipt) -> str:
    """Return the sha256 (hex) of the receipt's bytes, as the ledger keeps it."""
    return hashlib.sha256(receipt.body).hexdigest()


def _key(receipt: Receipt) -> str:
    name = f"{receipt.connection}\x1f{receipt.delivery_id}\x1f{digest_of(receipt)}"
    return "seen:" + hashlib.sha256(name.encode()).hexdigest()
