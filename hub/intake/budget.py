"""A budget of bytes: how much may be in memory at once, whoever it belongs to."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

from canonical.errors import Retryable

_RETRY_AFTER_SECONDS = 5.0


class Budget:
    """Shared by all that hold bytes in a process; what they hold is given back at their end.

    Bytes are also taken by threads, such as those that unpack messages.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._turn = threading.Lock()
        self.used = 0

    @contextmanager
    def share(self) -> Iterator[Share]:
        """Open a share; it is given back when the context ends, however it does."""
        share = Share(self)
        try:
            yield share
        finally:
            with self._turn:
                self.used -= share.size

    def reserve(self, size: int) -> None:
        """Reserve bytes.

        Raises:
            Retryable: ``bodies_full``: others hold what is left; nothing was reserved.
        """
        with self._turn:
            if self.used + size > self._most:
                detail = "the bodies in memory have used up their budget"
                raise Retryable("bodies_full", "", detail, retry_after=_RETRY_AFTER_SECONDS)
            self.used += size


class Share:
    """What one holder has of a budget."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self.size = 0

    def take(self, size: int) -> None:
        """Take more.

        Raises:
            Retryable: ``bodies_full``.
        """
        self._budget.reserve(size)
        self.size += size

    async def counted(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Hand chunks on, each once it is taken from the budget; for a single reader.

        Raises:
            Retryable: ``bodies_full``; nothing is read any further.
        """
        async for chunk in chunks:
            self.take(len(chunk))
            yield chunk
