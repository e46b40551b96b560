"""A pile on disk: what a large file holds, put down while it is read."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator

import orjson

from connectors.pile import Json

_IN_MEMORY = 1_000_000
"""Bytes that need no file."""


class Spool:
    """Implements `connectors.pile.Pile` in a temporary file that nobody else can open."""

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115  # as long as the pile

    def put(self, value: Json) -> None:
        """Put one down.

        Raises:
            OSError: there is no room for it.
        """
        self._file.write(orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE))

    def close(self) -> None:
        """Let go of the file and all that is in it."""
        self._file.close()

    def __iter__(self) -> Iterator[Json]:
        """Yield all of them."""
        self._file.seek(0)
        yield from map(orjson.loads, self._file)
