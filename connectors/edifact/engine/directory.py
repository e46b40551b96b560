"""Loads guides from ``connectors/edifact/guides/<release>/`` and holds them to their own form.

Code of the `ConfigError` raised here: ``guide_invalid``, with the file and what is wrong.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from canonical.errors import ConfigError
from connectors.edifact.engine.guide import (
    AREAS,
    Field,
    Group,
    Guide,
    SegmentRule,
    Slot,
    component_of,
    segment_rule,
)
from connectors.table_words import words

_GUIDES = files("connectors.edifact") / "guides"
_SHARED = frozenset({"elements", "composites", "segments"})
"""Tables of a directory that are no message's."""

_NAME = re.compile(r"([DS012])([0-9]{2})([AB])", re.ASCII)
_CENTURY = "90"
_SERVICE = {("2", "1"): "D96A", ("2", "2"): "D96A", ("D", "3"): "D96A", ("4", "1"): "D01B"}
"""The versions that CONTRL has of its own: those of syntax 3, and that of syntax 4."""
_TAG = re.compile(r"[A-Z]{3}", re.ASCII)
_USE = re.compile(r"([A-Z]{3}) ([MC]) ([1-9][0-9]*)", re.ASCII)

Table = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reading:
    """By which directory a message is read."""

    release: str
    """Its folder, such as D96A."""
    named: str = ""
    """The directory that the message names, where that is another one."""
    known: tuple[str, ...] = ()
    """Then: those that have a guide for it."""


@cache
def releases() -> tuple[str, ...]:
    """The directories that guides exist for, the oldest first: a folder each."""
    found = [each.name for each in _GUIDES.iterdir() if _NAME.fullmatch(each.name)]
    return tuple(sorted(found, key=_age))


@cache
def messages() -> tuple[str, ...]:
    """The messages that guides exist for: a file each."""
    return tuple(sorted({each for release in releases() for each in _files(release) - _SHARED}))


@cache
def _files(release: str) -> frozenset[str]:
    inside = (each.name for each in (_GUIDES / release).iterdir())
    return frozenset(name.removesuffix(".json") for name in inside if name.endswith(".json"))


def reading(message: str, version: str, release: str) -> Reading | None:
    """Say by which directory a message is read; None: there is no guide, or it names no directory.

    One that there is no guide for is read by the nearest older one, which later ones extend; one
    that is older than all of them by the oldest. What becomes of it then is a matter of agreement.

    Args:
        message: UNH 0065.
        version: UNH 0052, such as D; ``1``, ``2`` and ``S`` of the nineties, ``0`` as some write it.
        release: UNH 0054, such as 96A.

    """
    if message not in messages():
        return None
    if (version, release) in _SERVICE:
        return Reading(_SERVICE[version, release])
    named = version + release
    if not _NAME.fullmatch(named):
        return None
    known = tuple(each for each in releases() if message in _files(each))
    if named in known:
        return Reading(named)
    older = [each for each in known if _age(each) <= _age(named)]
    return Reading(older[-1] if older else known[0], named, known)


def _age(name: str) -> tuple[bool, str]:
    """What sorts directories: those of the nineties come first."""
    return name[1:] < _CENTURY, name[1:]


@cache
def load_guide(message: str, release: str) -> Guide:
    """The shipped guide of a message.

    Raises:
        ConfigError: ``guide_invalid``.

    """
    return compile_guide(read_table(release, message), release)


def guides(message: str) -> Iterator[Guide]:
    """Yield the guides of a message, of the oldest directory first."""
    for release in releases():
        if message in _files(release):
            yield load_guide(message, release)


def read_table(release: str, name: str) -> Table:
    """One of the JSON files of a directory.

    Raises:
        ConfigError: ``guide_invalid``: it cannot be read.

    """
    path = _GUIDES / release / f"{name}.json"
    try:
        table: Table = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise _invalid(release, name, f"cannot be read ({type(error).__name__})") from None
    except ValueError as error:  # it says the line and the column
        raise _invalid(release, name, f"not JSON: {error}") from None
    if not isinstance(table, dict):
        raise _invalid(release, name, "expected an object, {...}")
    return table


@cache
def segments_of(release: str) -> dict[str, SegmentRule]:
    """All segments of a directory.

    Raises:
        ConfigError: ``guide_invalid``.

    """
    elements, composites = read_table(release, "elements"), read_table(release, "composites")
    rules = {}
    for tag, row in read_table(release, "segments").items():
        try:
            fields = tuple(_field(text, elements, composites) for text in row["elements"])
            rules[tag] = segment_rule(tag, row["name"], fields, is_open=bool(row.get("open")))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise _invalid(release, "segments", f"{tag}: {words(error)}") from None
        if not _TAG.fullmatch(tag):
            raise _invalid(release, "segments", f"{tag}: expected a tag of three letters")
    return rules


def compile_guide(table: Table, release: str) -> Guide:
    """Compile the table of a message.

    Raises:
        ConfigError: ``guide_invalid``.

    """
    rules = segments_of(release)
    name = str(table.get("message"))
    root = Group(name, mandatory=True, maximum=1, index=0, parent=None, area="")
    header = segment_rule("UNH", "Message header", (), is_open=True)
    begin = Slot(header, mandatory=True, maximum=1, index=0, parent=root, area=AREAS[0])
    root.items.append(begin)
    try:
        for area in AREAS:
            _fill(root, table[area], area, rules)
        title = str(table["name"])
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise _invalid(release, name, words(error)) from None
    return Guide(name, title, release, root, rules, begin)


def _invalid(release: str, name: str, detail: str) -> ConfigError:
    return ConfigError("guide_invalid", f"connectors/edifact/guides/{release}/{name}.json", detail)


def _field(text: str, elements: Table, composites: Table) -> Field:
    """``"C507 M"`` or ``"1004 C"`` -> the position."""
    number, _, status = text.partition(" ")
    mandatory = _is_mandatory(status)
    row = composites.get(number)
    if row is None and number not in elements:
        raise ValueError(f"{number}: neither elements.json nor composites.json has it")
    if row is None:
        only = component_of(number, elements[number], mandatory=mandatory)
        return Field(number, only.name, mandatory, (only,))
    components = []
    for use in row["components"]:
        part, part_status = use.split()
        must = _is_mandatory(part_status)
        components.append(component_of(part, elements[part], mandatory=must))
    return Field(number, row["name"], mandatory, tuple(components))


def _is_mandatory(status: str) -> bool:
    if status not in ("M", "C"):
        raise ValueError(f"expected M or C, not {status!r}")
    return status == "M"


def _fill(group: Group, rows: list[Any], area: str, rules: dict[str, SegmentRule]) -> None:
    for row in rows:
        index = len(group.items)
        if isinstance(row, str):
            tag, mandatory, maximum = _use(row)
            if tag not in rules:
                raise ValueError(f"no segment {tag} is known: segments.json does not have it")
            group.items.append(Slot(rules[tag], mandatory, maximum, index, group, area))
            continue
        name, mandatory, maximum = _use(row["group"])
        inner = Group(name, mandatory, maximum, index, group, area)
        _fill(inner, row["of"], area, rules)
        first = inner.items[0] if inner.items else None
        if not isinstance(first, Slot) or not first.mandatory or first.maximum != 1:
            raise ValueError(f"{name}: a group begins with a segment M 1")
        if first.tag != name:
            raise ValueError(f"{name}: a group is named after its first segment")
        group.items.append(inner)
    _hold_apart(group, area)


def _hold_apart(group: Group, area: str) -> None:
    """No two places of one group and section may make the same key."""
    keys = [
        item.tag if isinstance(item, Slot) else item.key
        for item in group.items
        if item.area == area
    ]
    twice = {key for key in keys if keys.count(key) > 1}
    if twice:
        raise ValueError(f"{group.name}: {', '.join(sorted(twice))} stands there twice")


def _use(text: str) -> tuple[str, bool, int]:
    """``"RFF C 10"`` -> tag, whether mandatory, how often at most."""
    found = _USE.fullmatch(text)
    if found is None:
        raise ValueError(f"expected a tag, M or C, and a number, not {text!r}")
    return found[1], found[2] == "M", int(found[3])
