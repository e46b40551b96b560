"""Where things that were found are put down one by one, to be taken up again in their order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

Json = dict[str, Any]


class Pile(Protocol):
    """Holds JSON objects: in memory, or where more of them have room."""

    def put(self, value: Json) -> None:
        """Put one down; it is not changed afterwards."""
        ...

    def __iter__(self) -> Iterator[Json]:
        """Yield all of them, as often as is asked, once the last was put down."""
        ...


class Kept:
    """A pile in memory."""

    def __init__(self) -> None:
        self._values: list[Json] = []

    def put(self, value: Json) -> None:
        """Put one down."""
        self._values.append(value)

    def __iter__(self) -> Iterator[Json]:
        """Yield all of them."""
        return iter(self._values)
