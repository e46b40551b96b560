"""What one segment may hold: its elements, the notes between them, their names."""

from __future__ import annotations

from dataclasses import dataclass

from connectors.x12.engine.naming import Namers
from connectors.x12.engine.notes import Note

UNBOUNDED = 1_000_000_000
"""What ``>1`` means as a number."""


@dataclass(frozen=True, slots=True)
class Element:
    """A data element as it is used in one place of a segment."""

    number: str
    """Its reference number in the data element dictionary, such as 355; "" where unchecked."""
    name: str
    type: str
    """AN, ID, DT, TM, R, N0, N2, or C for a composite."""
    minimum: int
    maximum: int
    mandatory: bool
    codes: frozenset[str] = frozenset()
    """The code list; empty where the list is open or only the partner's guide knows it."""
    components: tuple[Element, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class SegmentRule:
    """What one segment may hold."""

    tag: str
    name: str
    elements: tuple[Element, ...]
    notes: tuple[Note, ...]
    open: bool
    """Elements after the listed ones are kept unchecked."""
    keys: tuple[str, ...]
    """The elements' names in a body: PO101, PO102, ..."""
    composites: tuple[int, ...]
    """Positions, from 1, of the elements that are composites."""
    namers: Namers
    """Names the elements of such a segment for a body."""
