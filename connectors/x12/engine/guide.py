"""Guides as data: what a transaction set may hold, loaded from JSON and compiled once.

A guide is three tables, as the standard itself is laid out: a dictionary of data elements, a
directory of segments, and one table of loops for each transaction set. The files' form is
described in ``connectors/x12/README.md``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from connectors.x12.engine.notes import Note, parse_note

FALLBACK: dict[str, str] = {
    "004010": "004010",
    "004020": "004010",
    "004030": "004010",
    "004040": "004010",
    "004050": "004010",
    "004060": "004010",
    "005010": "004010",
}
"""Version (first six characters of GS08) -> the guides it is read with.

Later versions add segments and elements to these sets and change none that the guides check,
except that the longer elements of 005010 (127 up to 50 characters) are refused as too long.
"""

UNBOUNDED = 1_000_000_000
"""What ``>1`` means as a number."""

AREAS = ("heading", "detail", "summary")
"""The three tables of a transaction set (X12.59)."""


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


@dataclass(frozen=True, slots=True)
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


@dataclass(eq=False, slots=True)
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
    keys: tuple[str, ...] = field(init=False)
    """The elements' keys in a body."""
    simple: bool = field(init=False)
    """Occurs once and holds no composite: its values go into a body as they are."""

    def __post_init__(self) -> None:
        self.tag = self.rule.tag
        self.keys = self.rule.keys
        self.simple = self.maximum == 1 and not self.rule.composites


@dataclass(eq=False, slots=True)
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


@dataclass(frozen=True, slots=True)
class Guide:
    """A transaction set of one version."""

    set: str
    """The transaction set's identifier, ST01 (element 143)."""
    name: str
    group: str
    """The functional group that carries it, GS01 (element 479)."""
    root: Loop
    rules: dict[str, SegmentRule]
    """All segments that the version's directory knows, by tag."""
    begin: Slot
    """The ST, where every set begins."""


def load_guide(set_id: str, version: str) -> Guide | None:
    """The guide of a transaction set, or None where there is none.

    Args:
        set_id: ST01, such as 850.
        version: GS08; only its first six characters count (004010VICS is read as 004010).

    """
    release = FALLBACK.get(version[:6])
    # Both come from data: only what can be a guide may become a file name or a cache entry.
    if release is None or len(set_id) != 3 or not (set_id.isascii() and set_id.isdecimal()):  # noqa: PLR2004  # element 143
        return None
    return _load(set_id, release)


@cache
def _load(set_id: str, release: str) -> Guide | None:
    table = _json(release, f"{set_id}.json")
    return None if table is None else _guide(table, _directory(release))


@cache
def _directory(release: str) -> dict[str, SegmentRule]:
    elements = _json(release, "elements.json") or {}
    segments = _json(release, "segments.json") or {}
    return {tag: _rule(tag, row, elements) for tag, row in segments.items()}


def _json(release: str, name: str) -> dict[str, Any] | None:
    path = files("connectors.x12") / "guides" / release / name
    if not path.is_file():
        return None
    table: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return table


def _element(text: str, dictionary: dict[str, Any]) -> Element:
    """``"355 M"`` -> the element: its number and whether it is mandatory (M, O or X)."""
    number, requirement = text.split()
    row = dictionary[number]
    mandatory = requirement == "M"
    if "components" in row:
        components = tuple(_element(component, dictionary) for component in row["components"])
        return Element(number, row["name"], "C", 1, 0, mandatory, components=components)
    codes = frozenset(row.get("codes", ()))
    return Element(number, row["name"], row["type"], row["min"], row["max"], mandatory, codes)


def _rule(tag: str, row: dict[str, Any], dictionary: dict[str, Any]) -> SegmentRule:
    elements = tuple(_element(text, dictionary) for text in row.get("elements", ()))
    is_open = bool(row.get("open", False))
    return SegmentRule(
        tag=tag,
        name=row["name"],
        elements=elements,
        notes=tuple(parse_note(text) for text in row.get("notes", ())),
        open=is_open,
        keys=tuple(f"{tag}{n:02d}" for n in range(1, (99 if is_open else len(elements)) + 1)),
        composites=tuple(n for n, element in enumerate(elements, 1) if element.components),
    )


def _guide(table: dict[str, Any], rules: dict[str, SegmentRule]) -> Guide:
    root = Loop(table["set"], mandatory=True, maximum=1, index=0, parent=None, area="")
    header = SegmentRule("ST", "Transaction Set Header", (), (), open=True, keys=(), composites=())
    begin = Slot(header, mandatory=True, maximum=1, index=0, parent=root, area="heading")
    root.items.append(begin)
    for area in AREAS:
        _fill(root, table[area], area, rules)
    return Guide(table["set"], table["name"], table["group"], root, rules, begin)


def _fill(loop: Loop, rows: list[Any], area: str, rules: dict[str, SegmentRule]) -> None:
    for row in rows:
        index = len(loop.items)
        if isinstance(row, str):
            tag, mandatory, maximum = _use(row)
            loop.items.append(Slot(rules[tag], mandatory, maximum, index, loop, area))
        else:
            name, mandatory, maximum = _use(row["loop"])
            inner = Loop(name, mandatory, maximum, index, loop, area)
            _fill(inner, row["of"], area, rules)
            loop.items.append(inner)


def _use(text: str) -> tuple[str, bool, int]:
    """``"REF O >1"`` -> tag or loop, whether mandatory, how often at most."""
    name, requirement, maximum = text.split()
    return name, requirement == "M", UNBOUNDED if maximum == ">1" else int(maximum)
