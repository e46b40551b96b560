"""Guides as data: what a transaction set may hold, loaded from JSON and compiled once.

A guide is three tables, as the standard itself is laid out: a dictionary of data elements, a
directory of segments, and one table of loops for each transaction set. The files' form is
described in ``connectors/x12/README.md``. A release may build on another: its dictionary and
directory then hold what differs.

A guide proves itself when it is compiled (`validate`): a file that contradicts itself never reads
a partner's document.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from canonical.errors import ConfigError
from connectors.table_words import words
from connectors.x12.engine.naming import Namers
from connectors.x12.engine.notes import parse_note
from connectors.x12.engine.pattern import Matches
from connectors.x12.engine.place import Loop, Slot
from connectors.x12.engine.plan import Plans
from connectors.x12.engine.rule import UNBOUNDED, Element, SegmentRule

_GUIDES = files("connectors.x12") / "guides"
_USE = re.compile(r"([A-Z0-9]+) ([MO]) ([0-9]{1,9}|>1)")

Table = dict[str, Any]
"""A transaction set's file: set, name, group, heading, detail, summary."""

AREAS = ("heading", "detail", "summary")
"""The three tables of a transaction set (X12.59)."""


class GuideError(ValueError):
    """A guide's table contradicts itself; the text names the place in it."""


@dataclass(frozen=True, slots=True, repr=False)
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
    matches: Matches
    """Recognise segments whose elements are certainly right."""
    plans: Plans
    """Put the trees of sets together that are like others before."""


def release_of(version: str) -> str | None:
    """The release whose guides read a version; None where there are none.

    Args:
        version: GS08; only its first six characters count (004010VICS is read as 004010).

    """
    return _releases().get(version[:6])


def releases() -> list[str]:
    """The releases that guides exist for, the oldest first."""
    return sorted(set(_releases().values()))


def load_guide(set_id: str, version: str) -> Guide | None:
    """The guide of a transaction set, or None where there is none.

    Args:
        set_id: ST01, such as 850.
        version: GS08.

    Raises:
        ConfigError: ``guide_invalid``: its file is none.

    """
    release = release_of(version)
    # Both come from data: only what can be a guide may become a file name or a cache entry.
    if release is None or len(set_id) != 3 or not (set_id.isascii() and set_id.isdecimal()):  # noqa: PLR2004  # element 143
        return None
    return _load(set_id, release)


def table_of(set_id: str, release: str) -> Table | None:
    """A set's table as its file has it; where the file says ``like``, the table of that release."""
    table = _json(release, f"{set_id}.json")
    if table is not None and "like" in table:
        return table_of(set_id, table["like"])
    return table


def compile_guide(table: Table, release: str, own: Mapping[str, Any] | None = None) -> Guide:
    """Make a guide of a set's table.

    Args:
        table: heading, detail and summary, as in the files.
        release: whose directory of segments holds.
        own: segments of a partner's own, in the form of ``segments.json``.

    Raises:
        GuideError: the table contradicts itself or names what the directory does not know.

    """
    rules = _directory(release)
    if own:
        elements = _dictionary(release)
        rules = {**rules, **{tag: _rule(tag, row, elements) for tag, row in own.items()}}
    guide = _guide(table, rules)
    validate(guide)
    return guide


@cache
def _releases() -> dict[str, str]:
    """Version -> the release that reads it, as the folders' ``release.json`` say."""
    folders = [each.name for each in _GUIDES.iterdir() if (each / "release.json").is_file()]
    return {
        version: folder
        for folder in folders
        for version in (_json(folder, "release.json") or {})["reads"]
    }


@cache
def _load(set_id: str, release: str) -> Guide | None:
    try:
        table = table_of(set_id, release)
        return None if table is None else compile_guide(table, release)
    except (AttributeError, KeyError, TypeError, ValueError) as error:  # a GuideError among them
        raise _invalid(release, f"{set_id}.json", words(error)) from None


def _invalid(release: str, name: str, detail: str) -> ConfigError:
    return ConfigError("guide_invalid", f"connectors/x12/guides/{release}/{name}", detail)


@cache
def _dictionary(release: str) -> dict[str, Any]:
    """The data elements of a release: its own, and those of the one that it builds on."""
    return _merged(release, "elements.json")


@cache
def _directory(release: str) -> dict[str, SegmentRule]:
    elements, rules = _dictionary(release), {}
    for tag, row in _merged(release, "segments.json").items():
        try:
            rules[tag] = _rule(tag, row, elements)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise _invalid(release, "segments.json", f"{tag}: {words(error)}") from None
    return rules


def _merged(release: str, name: str) -> dict[str, Any]:
    base = (_json(release, "release.json") or {}).get("base")
    return {**(_merged(base, name) if base else {}), **(_json(release, name) or {})}


def _json(release: str, name: str) -> dict[str, Any] | None:
    path = _GUIDES / release / name
    if not path.is_file():
        return None
    try:
        table: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:  # it says the line and the column
        raise _invalid(release, name, f"not JSON: {error}") from None
    if not isinstance(table, dict):
        raise _invalid(release, name, "expected an object, {...}")
    return table


def validate(guide: Guide) -> None:
    """Refuse a guide that could not be followed.

    Raises:
        GuideError: a loop that does not begin with its own segment, two parts of one loop with
            one name, a mandatory part that may not occur, or a note about no element.

    """
    for rule in guide.rules.values():
        last = max((at for note in rule.notes for at in note.positions), default=0)
        if last > len(rule.elements):
            raise GuideError(f"{rule.tag}: a syntax note names an element that is not listed")
    _validate_loop(guide.root, guide.set)


def _validate_loop(loop: Loop, place: str) -> None:
    names = [item.tag if isinstance(item, Slot) else item.key for item in loop.items]
    doubled = {name for name in names if names.count(name) > 1}
    if doubled:
        raise GuideError(f"{place}: {min(doubled)} occurs twice in one loop")
    for item in loop.items:
        if item.maximum < 1:
            raise GuideError(f"{place}: a maximum use below one")
        if isinstance(item, Loop):
            inner = f"{place}.{item.key}"
            if not item.items or item.first.tag != item.name or item.first.maximum != 1:
                raise GuideError(f"{inner}: a loop begins with its own segment, once")
            _validate_loop(item, inner)


def _element(text: str, dictionary: dict[str, Any]) -> Element:
    """``"355 M"`` -> the element: its number and whether it is mandatory (M, O or X)."""
    number, _, requirement = text.partition(" ")
    row = dictionary.get(number)
    if requirement not in ("M", "O", "X"):
        raise GuideError(f"expected an element and M, O or X, such as '355 M', not {text!r}")
    if row is None:
        raise GuideError(f"element {number}: elements.json does not have it")
    mandatory = requirement == "M"
    if "components" in row:
        components = tuple(_element(component, dictionary) for component in row["components"])
        return Element(number, row["name"], "C", 1, 0, mandatory, components=components)
    codes = frozenset(row.get("codes", ()))
    return Element(number, row["name"], row["type"], row["min"], row["max"], mandatory, codes)


def _rule(tag: str, row: dict[str, Any], dictionary: dict[str, Any]) -> SegmentRule:
    elements = tuple(_element(text, dictionary) for text in row.get("elements", ()))
    is_open = bool(row.get("open", False))
    keys = tuple(f"{tag}{n:02d}" for n in range(1, (99 if is_open else len(elements)) + 1))
    return SegmentRule(
        tag=tag,
        name=row["name"],
        elements=elements,
        notes=tuple(parse_note(text) for text in row.get("notes", ())),
        open=is_open,
        keys=keys,
        composites=tuple(n for n, element in enumerate(elements, 1) if element.components),
        namers=Namers(keys),
    )


def _guide(table: dict[str, Any], rules: dict[str, SegmentRule]) -> Guide:
    root = Loop(table["set"], mandatory=True, maximum=1, index=0, parent=None, area="")
    header = SegmentRule("ST", "Transaction Set Header", (), (), True, (), (), Namers(()))  # noqa: FBT003  # open
    begin = Slot(header, mandatory=True, maximum=1, index=0, parent=root, area="heading")
    root.items.append(begin)
    for area in AREAS:
        _fill(root, table[area], area, rules)
    matches, plans = Matches(rules), Plans(rules)
    return Guide(table["set"], table["name"], table["group"], root, rules, begin, matches, plans)


def _fill(loop: Loop, rows: list[Any], area: str, rules: dict[str, SegmentRule]) -> None:
    for row in rows:
        index = len(loop.items)
        if isinstance(row, str):
            tag, mandatory, maximum = _use(row)
            if tag not in rules:
                raise GuideError(
                    f"{loop.name}: no segment {tag} is known: segments.json does not have it"
                )
            loop.items.append(Slot(rules[tag], mandatory, maximum, index, loop, area))
        else:
            name, mandatory, maximum = _use(row["loop"])
            inner = Loop(name, mandatory, maximum, index, loop, area)
            _fill(inner, row["of"], area, rules)
            loop.items.append(inner)


def _use(text: str) -> tuple[str, bool, int]:
    """``"REF O >1"`` -> tag or loop, whether mandatory, how often at most."""
    found = _USE.fullmatch(text)
    if found is None:
        raise GuideError(f"expected a tag, M or O, and a number or >1, not {text!r}")
    name, requirement, maximum = found.groups()
    return name, requirement == "M", UNBOUNDED if maximum == ">1" else int(maximum)
