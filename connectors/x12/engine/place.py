"""The places of a guide: loops, segments in them, and the steps from one segment to the next."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from connectors.x12.engine.naming import Namers
from connectors.x12.engine.rule import UNBOUNDED, SegmentRule

How = Literal["one", "again", "loop", "other"]
"""How a segment is put into the tree: alone under its tag, as one more of its tag, as the
first of one more loop, or in any other way."""


@dataclass(frozen=True, slots=True, repr=False)
class Step:
    """From one place of a guide to the next."""

    slot: Slot
    keep: int
    """How many open loops stay open."""
    enter: tuple[Loop, ...]
    """Loops that begin with this segment, outermost first."""
    missing: tuple[Slot, ...]
    """Mandatory segments that were passed over."""
    stays: bool
    """No loop opens or closes, and the place is in the same table."""
    table: bool
    """It leads from one table of the set to the next, or into the first."""
    again: bool = False
    """The same place once more."""
    careful: bool = field(init=False)
    """Segments were passed over, or the place has room for so many only."""
    how: How = field(init=False)
    key: str = field(init=False)
    """Of the loop, where it is one more loop."""
    most: int = field(init=False)
    """How often that loop may occur."""

    def __post_init__(self) -> None:
        careful = bool(self.missing) or (self.again and self.slot.maximum != UNBOUNDED)
        object.__setattr__(self, "careful", careful)
        object.__setattr__(self, "how", self._how())
        object.__setattr__(self, "key", self.enter[0].key if self.enter else "")
        object.__setattr__(self, "most", self.enter[0].maximum if self.enter else 0)

    def _how(self) -> How:
        slot = self.slot
        if slot.rule.composites:
            return "other"
        if self.stays:
            return "again" if self.again else "one" if slot.maximum == 1 else "other"
        one = len(self.enter) == 1 and self.enter[0].maximum > 1 and not self.table
        return "loop" if one else "other"


@dataclass(eq=False, slots=True, repr=False)  # it holds its whole guide
class Slot:
    """A place of a segment in a set or loop."""

    rule: SegmentRule
    mandatory: bool
    maximum: int
    index: int
    parent: Loop
    area: str
    steps: dict[str, Step] = field(default_factory=dict)
    """What may follow, by tag, as far as it was needed; filled by `path.step` alone."""
    tag: str = field(init=False)
    """The segment's tag, which is also its key in a body."""
    namers: Namers = field(init=False)
    """Names the elements of its segment for a body."""

    def __post_init__(self) -> None:
        self.tag = self.rule.tag
        self.namers = self.rule.namers


@dataclass(eq=False, slots=True, repr=False)  # it holds its whole guide
class Loop:
    """A group of segments that repeats together; the root is the set itself."""

    name: str
    mandatory: bool
    maximum: int
    index: int
    parent: Loop | None
    area: str
    items: list[Slot | Loop] = field(default_factory=list)
    key: str = field(init=False)
    """The loop's key in a body: ``PO1_loop``."""

    def __post_init__(self) -> None:
        self.key = f"{self.name}_loop"

    @property
    def first(self) -> Slot:
        """The segment whose appearance begins the loop."""
        first = self.items[0]
        return first if isinstance(first, Slot) else first.first

    @property
    def depth(self) -> int:
        """How many loops it stands in, itself included; the set itself has 0."""
        return 0 if self.parent is None else self.parent.depth + 1
