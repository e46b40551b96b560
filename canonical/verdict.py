"""The verdict on a document, by its identities: a table (ARCHITECTURE.md: Identity) as one function."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from canonical.base import Purpose


class Verdict(StrEnum):
    """What a document is, seen beside what the ledger already knows."""

    ACCEPT = "accept"
    """A new key: an original."""
    DUPLICATE = "duplicate"
    """The same key and content again: the first answer again, no effect."""
    CHANGE = "change"
    """A newer version of a known key, applied in sequence."""
    CONFLICT = "conflict"
    """The same key as an original again, or the same number of a change, but other content: a
    person chooses."""
    STALE = "stale"
    """An older sequence: recorded, no effect."""
    ORPHAN = "orphan"
    """A change to something unknown: parked until the original or a deadline."""
    TWIN = "twin"
    """Another key for what looks like the same purchase: a person chooses."""


class Known(NamedTuple):
    """What the ledger knows of a business key before this document.

    `sequence` is the newest sequence applied, as senders number them, 0 where none did; `contents` the content ids of all its versions,
    applied or held; `current` the content id of the version in force, "" where there is none yet:
    only changes have come, and are parked.
    """

    sequence: int
    current: str
    contents: frozenset[str]

    @property
    def in_force(self) -> bool:
        """Whether an original has come."""
        return self.current != ""


def judge(  # noqa: PLR0911  # one return per row of the table reads best
    *, known: Known | None, content: str, purpose: Purpose, sequence: int, has_twin: bool
) -> Verdict:
    """Judge one document; a pure function of what is known and what it says.

    Args:
        known: the key's history; None for a new key.
        content: the document's content id.
        purpose: why it was sent.
        sequence: its place among the versions of the key, rising, as the sender numbers them; 0
            where it does not: then it is newer than what came before it.
        has_twin: another key already carries this content, or the same buyer's same PO number.
            Only an original can be a twin: two customers without an address are no duplicates.

    """
    if known is None or not known.in_force:
        if purpose in ("change", "replace", "cancel"):
            parked = known is not None and content in known.contents
            return Verdict.DUPLICATE if parked else Verdict.ORPHAN
        return Verdict.TWIN if has_twin and purpose == "original" else Verdict.ACCEPT
    if purpose == "state":
        if content == known.current:
            return Verdict.DUPLICATE
        return Verdict.CHANGE if sequence >= known.sequence else Verdict.STALE
    if content in known.contents:
        return Verdict.DUPLICATE
    if purpose == "original":
        return Verdict.CONFLICT
    return _of_change(sequence, known.sequence)


def _of_change(sequence: int, newest: int) -> Verdict:
    """Two changes of one number are no mistake that may go unseen: one of them would be lost."""
    if sequence and sequence == newest:
        return Verdict.CONFLICT
    return Verdict.CHANGE if not sequence or sequence > newest else Verdict.STALE
