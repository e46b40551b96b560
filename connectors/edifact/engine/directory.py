"""Loads guides from ``connectors/edifact/guides/<release>/`` and holds them to their own form.

Code of the `ConfigError` raised here: ``guide_invalid``, with the file and what is wrong.
"""

from __future__ import annotations

import json
import re
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

RELEASES = ("D96A", "D01B")
"""The directories that guides exist for."""

MESSAGES = (
    "ORDERS", "ORDRSP", "ORDCHG", "DESADV", "INVOIC", "INVRPT", "RECADV", "SLSRPT", "IFTMIN",
    "IFTSTA", "PRICAT", "REMADV", "CONTRL", "APERAK",
)  # fmt: skip
"""The messages that guides exist for."""

_YEAR = re.compile(r"[0-9]{2}[AB]", re.ASCII)
_CENTURY = "90"
_TAG = re.compile(r"[A-Z]{3}", re.ASCII)
_USE = re.compile(r"([A-Z]{3}) ([MC]) ([1-9][0-9]*)", re.ASCII)

Table = dict[str, Any]


def release_for(version: str, release: str) -> str | None:
    """The directory that a message is read with, by UNH 0052 and 0054; None: none fits.

    Up to D99B that is D96A, later D01B: what these messages hold was hardly changed within either.
    Trial (``1``, ``2``) and standard (``S``) directories of the nineties read as D96A. A CONTRL
    names its own version: 2:2 and D:3 belong to syntax 3, 4:1 to syntax 4.
    """
    if (version, release) in (("2", "2"), ("D", "3"), ("2", "1")):
        return "D96A"
    if (version, release) == ("4", "1"):
        return "D01B"
    if version not in ("D", "S", "1", "2", "0") or not _YEAR.fullmatch(release):
        return None
    return "D96A" if release[:2] >= _CENTURY else "D01B"


@cache
def load_guide(message: str, release: str) -> Guide:
    """The shipped guide of a message.

    Raises:
        ConfigError: ``guide_invalid``.

    """
    return compile_guide(read_table(release, message), release)


def read_table(release: str, name: str) -> Table:
    """One of the JSON files of a directory.

    Raises:
        ConfigError: ``guide_invalid``: it cannot be read.

    """
    path = files("connectors.edifact") / "guides" / release / f"{name}.json"
    try:
        table: Table = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _invalid(release, name, type(error).__name__) from None
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
        except (KeyError, TypeError, ValueError) as error:
            raise _invalid(release, "segments", f"{tag}: {error}") from None
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
    except (KeyError, TypeError, ValueError) as error:
        raise _invalid(release, name, str(error)) from None
    return Guide(name, str(table["name"]), release, root, rules, begin)


def _invalid(release: str, name: str, detail: str) -> ConfigError:
    return ConfigError("guide_invalid", f"connectors/edifact/guides/{release}/{name}.json", detail)


def _field(text: str, elements: Table, composites: Table) -> Field:
    """``"C507 M"`` or ``"1004 C"`` -> the position."""
    number, status = text.split()
    mandatory = _is_mandatory(status)
    row = composites.get(number)
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
        raise ValueError(f"expected M or C, not {status}")
    return status == "M"


def _fill(group: Group, rows: list[Any], area: str, rules: dict[str, SegmentRule]) -> None:
    for row in rows:
        index = len(group.items)
        if isinstance(row, str):
            tag, mandatory, maximum = _use(row)
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
