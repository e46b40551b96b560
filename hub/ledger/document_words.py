"""The words that stand in the ledger's column of a document's kind, and in that of its state."""

from __future__ import annotations

from enum import StrEnum

from canonical import DOCUMENTS

ENTITIES = (*DOCUMENTS, "acknowledgement", "unknown")
"""What a document can be; unknown where it could not be read so far."""


class DocumentState(StrEnum):
    """What became of a document."""

    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    HELD = "held"
    DEAD = "dead"
    DUPLICATE = "duplicate"
    REJECTED = "rejected"
    SUPERSEDED = "superseded"
