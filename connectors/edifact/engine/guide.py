"""Guides as data: what a message may hold, loaded from JSON, validated and compiled once.

A guide is laid out as the UN/EDIFACT directory is: data elements, composites and segments, which
all messages of a version share, and one table of segment groups for each message. The files' form
is described in ``connectors/edifact/README.md``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from connectors.edifact.engine.naming import Namers

AREAS = ("heading", "detail", "summary")
"""The three sections of a message, divided where its detail begins and at its UNS+S."""

UNBOUNDED = 1_000_000_000

How = Literal["one", "many", "group", "other"]
"""How a segment is put into the tree: alone under its tag, in a list under its tag, as the first of
one more group, or in any other way."""

_REPRESENTATION = re.compile(r"(an|a|n)(\.\.)?([0-9]{1,4})(#?)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Component:
    """A data element as it is used in one place of a segment."""

    number: str
    """Its number in the directory, such as 6060."""
    name: str
    kind: Literal["a", "n", "an"]
    minimum: int
    maximum: int
    mandatory: bool
    decimal: bool = False
    """Alphanumeric by the directory, and nevertheless a number (6060 in D01B)."""
    codes: tuple[str, ...] = ()
    """The codes that may stand here; () where the list is open."""
    used: bool = True

    @property
    def notation(self) -> str:
        """In the directory's notation, such as an..35."""
        return f"{self.kind}{'' if self.minimum == self.maximum else '..'}{self.maximum}"

    @property
    def numeric(self) -> bool:
        """Whether it holds a number, in which a decimal comma becomes a point."""
        return self.kind == "n" or self.decimal


@dataclass(frozen=True, slots=True)
class Field:
    """A position of a segment: a composite, or one data element."""

    number: str
    name: str
    mandatory: bool
    components: tuple[Component, ...]


@dataclass(frozen=True, slots=True, eq=False)
class SegmentRule:
    """What one segment may hold."""

    tag: str
    name: str
    fields: tuple[Field, ...]
    open: bool
    """Elements after the listed ones are kept unchecked."""
    keys: tuple[tuple[str, ...], ...]
    """For every position the keys of its components in a body: LIN0301, LIN0302, ..."""
    numeric: frozenset[str]
    """Keys of the components that hold numbers."""
    namers: Namers
    """Name the components of such a segment for a body."""


@dataclass(frozen=True, slots=True)
class Step:
    """From one place of a guide to the next."""

    slot: Slot
    keep: int
    """How many open groups stay open."""
    enter: tuple[Group, ...]
    """Groups that begin with this segment, outermost first."""
    missing: tuple[Slot, ...]
    """Mandatory segments that were passed over."""
    stays: bool
    """No group opens or closes, and the place is in the same section."""
    table: bool
    """It leads from one section of the message to the next, or into the first."""
    again: bool = False
    """The same place once more."""
    careful: bool = field(init=False)
    """Segments were passed over, or the place may be full."""
    how: How = field(init=False)
    key: str = field(init=False)
    """Of the group, where it is one more group."""
    most: int = field(init=False)
    """How often that group may occur."""

    def __post_init__(self) -> None:
        group = self.enter[0] if self.enter else None
        object.__setattr__(self, "careful", bool(self.missing) or self.again)
        object.__setattr__(self, "how", self._how())
        object.__setattr__(self, "key", group.key if group else "")
        object.__setattr__(self, "most", group.maximum if group else 0)

    def _how(self) -> How:
        if self.stays:
            return "one" if self.slot.maximum == 1 else "many"
        one = len(self.enter) == 1 and self.slot.maximum == 1 and not self.table
        return "group" if one else "other"


@dataclass(eq=False, slots=True)
class Slot:
    """A place of a segment in a message or segment group."""

    rule: SegmentRule
    mandatory: bool
    maximum: int
    index: int
    parent: Group
    area: str
    steps: dict[str, Step] = field(default_factory=dict)
    """What may follow, by tag, as far as it was needed; filled by `path.step` alone."""
    tag: str = field(init=False)
    keys: tuple[tuple[str, ...], ...] = field(init=False)
    namers: Namers = field(init=False)

    def __post_init__(self) -> None:
        self.tag = self.rule.tag
        self.keys = self.rule.keys
        self.namers = self.rule.namers


@dataclass(eq=False, slots=True)
class Group:
    """A segment group; the root is the message itself."""

    name: str
    """The tag of the segment that begins it."""
    mandatory: bool
    maximum: int
    index: int
    parent: Group | None
    area: str
    items: list[Slot | Group] = field(default_factory=list)
    key: str = field(init=False)
    """The group's key in a body: ``LIN_group``."""

    def __post_init__(self) -> None:
        self.key = f"{self.name}_group"

    @property
    def first(self) -> Slot:
        """The segment whose appearance begins the group."""
        first = self.items[0]
        return first if isinstance(first, Slot) else first.first

    @property
    def depth(self) -> int:
        """How many groups it stands in, itself included; the message itself has 0."""
        return 0 if self.parent is None else self.parent.depth + 1


@dataclass(frozen=True, slots=True)
class Guide:
    """A message of one version."""

    message: str
    """The message type (0065)."""
    name: str
    release: str
    """The directory that it is checked by: D96A or D01B."""
    root: Group
    rules: dict[str, SegmentRule]
    """All segments that the version's directory knows, by tag."""
    begin: Slot
    """The UNH, where every message begins."""


def component_of(number: str, row: dict[str, object], *, mandatory: bool) -> Component:
    """A data element as a row of ``elements.json`` has it.

    Raises:
        ValueError: the row is not of that form.

    """
    found = _REPRESENTATION.fullmatch(str(row["type"]))
    if found is None:
        raise ValueError(f"{number}: expected a type such as an..35")
    codes = row.get("codes", {})
    closed = tuple(codes) if row.get("closed") and isinstance(codes, dict) else ()
    longest = int(found[3])
    return Component(
        number,
        str(row["name"]),
        found[1],  # type: ignore[arg-type]  # the expression knows a, n and an alone
        1 if found[2] else longest,
        longest,
        mandatory,
        bool(found[4]),
        closed,
    )


def keys_of(tag: str, fields: tuple[Field, ...], *, is_open: bool) -> tuple[tuple[str, ...], ...]:
    """The keys of a segment's components; those of an open one go on for 20 positions."""
    widths = [len(each.components) for each in fields]
    if is_open:
        widths += [10] * (20 - len(widths))
    return tuple(
        tuple(f"{tag}{at:02d}{part:02d}" for part in range(1, width + 1))
        for at, width in enumerate(widths, 1)
    )


def segment_rule(tag: str, name: str, fields: tuple[Field, ...], *, is_open: bool) -> SegmentRule:
    """Compile one segment."""
    keys = keys_of(tag, fields, is_open=is_open)
    numeric = frozenset(
        key
        for names, each in zip(keys, fields, strict=False)
        for key, component in zip(names, each.components, strict=True)
        if component.numeric
    )
    return SegmentRule(tag, name, fields, is_open, keys, numeric, Namers(keys))
