"""What looks into files of a format, one line each: for people, and before a partner goes live."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from canonical.errors import Rejected
from connectors.base import Json
from connectors.edifact.inspector import INSPECTOR as EDIFACT
from connectors.paper import Paper
from connectors.report import DEFAULT, Look, Report
from connectors.x12.inspector import INSPECTOR as X12


class Inspector(Protocol):
    """Looks into the files of a format: for people, and before going live."""

    def recognises(self, data: bytes) -> bool:
        """Whether the bytes look like the format at all."""
        ...

    def inspect(self, data: bytes, how: Look = DEFAULT) -> Json:
        """Say all that the bytes hold and all that is wrong with them, at every level.

        Never raises on bad bytes. What is returned is described in `connectors.report`.
        """
        ...

    def look(self, chunks: Iterable[bytes], how: Look) -> Report:
        """Say the same of a file that is read while it is looked into, however large it is.

        Never raises but what reading the chunks does.
        """
        ...

    def starts(self, chunks: Iterable[bytes]) -> Iterator[Json | Rejected]:
        """Yield the head of each interchange where it begins, and why nothing more can be read.

        A head is what `connectors.report` has of an interchange before its sets.
        """
        ...

    def options(self, interchange: Json) -> Json:
        """The options of a connection by which an interchange would come: its sender the partner.

        Args:
            interchange: as `inspect` returned it. The options may still be none that the system
                takes, where its ids are none.

        """
        ...

    def paper(self, one: Json) -> Paper | None:
        """A set out of `inspect` as a person reads it; None where no guide exists for it."""
        ...


INSPECTORS: dict[str, Inspector] = {
    "edifact": EDIFACT,
    "x12": X12,
}
"""Format -> its inspector."""
