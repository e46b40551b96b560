"""What looks into files of a format, one line each: for people, and before a partner goes live."""

from __future__ import annotations

from typing import Protocol

from connectors.base import Json
from connectors.edifact.inspector import INSPECTOR as EDIFACT
from connectors.x12.inspector import INSPECTOR as X12


class Inspector(Protocol):
    """Looks into the files of a format without any connection: for people, and before going live."""

    def recognises(self, data: bytes) -> bool:
        """Whether the bytes look like the format at all."""
        ...

    def inspect(self, data: bytes) -> Json:
        """Say all that the bytes hold and all that is wrong with them, at every level.

        Never raises on bad bytes. Returns ``ok`` (nothing is wrong), ``errors`` of the file as a
        whole, and ``interchanges``: each with ``control_number``, ``sender``, ``receiver``,
        ``usage``, ``errors`` and ``sets``: each with ``type``, ``version``, ``control_number``,
        ``group``, ``segments``, ``verdict`` (``accepted`` or ``rejected``), ``errors`` and
        ``body``, the source document. An error has ``level`` (``syntax``, ``guide`` or
        ``application``), ``code``, ``where``, ``detail``, and where it is known ``segment`` (its
        ordinal in the set) and ``byte``.
        """
        ...


INSPECTORS: dict[str, Inspector] = {
    "edifact": EDIFACT,
    "x12": X12,
}
"""Format -> its inspector."""
