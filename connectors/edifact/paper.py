"""A message as a person reads it, out of its body and the names and codes in its directory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

from connectors.edifact.engine.directory import load_guide, read_table, reading
from connectors.edifact.engine.guide import Guide, SegmentRule
from connectors.paper import Block, Field, Paper, clock, day

Values = Mapping[str, str]

_LINES = frozenset({"LIN", "DOC", "CNI"})
_FORMATS = {"102": 8, "101": 6, "203": 12, "201": 10, "204": 14}
"""Date formats (2379) -> how many digits they have; the date stands first."""


class _Names:
    """What the codes of a directory mean."""

    def __init__(self, release: str) -> None:
        self._elements = read_table(release, "elements")

    def of(self, number: str, code: str) -> str:
        """The meaning of a code; the code where it is not known."""
        codes = self._elements.get(number, {}).get("codes", {})
        found = codes.get(code) if isinstance(codes, dict) else None
        return str(found) if found else code


@cache
def _names(release: str) -> _Names:
    return _Names(release)


def paper(kind: str, version: str, control_number: str, body: Mapping[str, Any]) -> Paper | None:
    """A message as a paper; None where no guide exists for it.

    Args:
        kind: the message type (0065).
        version: version and release, such as D96A.
        control_number: of the UNH.
        body: its heading, detail and summary.

    """
    found = reading(kind, version[:1], version[1:])
    if found is None:
        return None
    guide = load_guide(kind, found.release)
    names = _names(found.release)
    fields: list[Field] = []
    blocks: list[Block] = []
    for area in ("heading", "detail", "summary"):
        inner = _node(guide, names, body.get(area, {}))
        fields += inner[0]
        blocks += inner[1]
    bgm = body.get("heading", {}).get("BGM", {})
    number = bgm.get("BGM0201", "") or control_number
    return Paper(kind, guide.name, number, tuple(fields), tuple(blocks))


def _node(guide: Guide, names: _Names, node: Mapping[str, Any]) -> tuple[list[Field], list[Block]]:
    """The fields of a group's own segments, and its inner groups."""
    fields: list[Field] = []
    blocks: list[Block] = []
    for key, value in node.items():
        for each in value if isinstance(value, list) else [value]:
            if key.endswith("_group"):
                block = _group(guide, names, key.removesuffix("_group"), each)
                if block.kind == "part" and not block.blocks and len(block.fields) <= 1:
                    fields += block.fields
                else:
                    blocks.append(block)
            else:
                fields += _segment(guide.rules[key], names, each)
    return fields, blocks


def _group(guide: Guide, names: _Names, name: str, node: Mapping[str, Any]) -> Block:
    fields, blocks = _node(guide, names, node)
    first = node.get(name, {})
    first = first[0] if isinstance(first, list) else first
    if name == "NAD":
        role = first.get("NAD0101", "")
        return Block("party", names.of("3035", role), role, tuple(fields), tuple(blocks))
    if name == "CPS":
        title = f"Package {first.get('CPS0101', '')}".rstrip()
        return Block("level", title, first.get("CPS0101", ""), tuple(fields), tuple(blocks))
    if name in _LINES:
        number = next((each.value for each in fields if each.role == "number"), "")
        kept = tuple(each for each in fields if each.role != "number")
        return Block("line", f"Line {number}".rstrip(), number, kept, tuple(blocks))
    return Block("part", guide.rules[name].name, "", tuple(fields), tuple(blocks))


def _segment(rule: SegmentRule, names: _Names, values: Values) -> list[Field]:
    known = _SEGMENTS.get(rule.tag)
    if known is not None:
        return list(known(names, values))
    found = []
    for keys, field in zip(rule.keys, rule.fields, strict=False):
        for key, component in zip(keys, field.components, strict=False):
            if values.get(key):
                meant = names.of(component.number, values[key])
                shown = meant if meant == values[key] else f"{meant} ({values[key]})"
                found.append(Field(component.name, shown))
    return found


def _dtm(names: _Names, values: Values) -> Iterator[Field]:
    text, form = values.get("DTM0102", ""), values.get("DTM0103", "")
    if len(text) == _FORMATS.get(form):
        size = 6 if form in ("101", "201") else 8
        text = " ".join(filter(None, (day(text[:size]), clock(text[size:]))))
    yield Field(_lead(names.of("2005", values.get("DTM0101", "")), "Date"), text)


def _lead(meaning: str, otherwise: str) -> str:
    """A qualifier's meaning as a label; a bare code behind what it is of."""
    return meaning if any(map(str.islower, meaning)) else f"{otherwise} {meaning}".rstrip()


def _rff(names: _Names, values: Values) -> Iterator[Field]:
    text = " ".join(filter(None, (values.get("RFF0102"), values.get("RFF0103"))))
    yield Field(_lead(names.of("1153", values.get("RFF0101", "")), "Reference"), text)


def _qty(names: _Names, values: Values) -> Iterator[Field]:
    text = " ".join(filter(None, (values.get("QTY0102"), values.get("QTY0103"))))
    yield Field(_lead(names.of("6063", values.get("QTY0101", "")), "Quantity"), text, "quantity")


def _pri(names: _Names, values: Values) -> Iterator[Field]:
    per = " ".join(filter(None, (values.get("PRI0105"), values.get("PRI0106"))))
    text = values.get("PRI0102", "") + (f" per {per}" if per else "")
    label = _lead(names.of("5125", values.get("PRI0101", "")), "Price")
    yield Field(label if "rice" in label else f"Price, {label.lower()}", text, "price")


def _moa(names: _Names, values: Values) -> Iterator[Field]:
    text = " ".join(filter(None, (values.get("MOA0102"), values.get("MOA0103"))))
    yield Field(_lead(names.of("5025", values.get("MOA0101", "")), "Amount"), text, "total")


def _cnt(names: _Names, values: Values) -> Iterator[Field]:
    label = names.of("6069", values.get("CNT0101", ""))
    yield Field(_lead(label, "Control total"), values.get("CNT0102", ""), "total")


def _lin(names: _Names, values: Values) -> Iterator[Field]:
    if values.get("LIN0101"):
        yield Field("Line", values["LIN0101"], "number")
    if values.get("LIN0201"):
        yield Field("Action", names.of("1229", values["LIN0201"]))
    if values.get("LIN0301"):
        label = _lead(names.of("7143", values.get("LIN0302", "")), "Item number")
        yield Field(label, values["LIN0301"], "item")
    if values.get("LIN0402"):
        yield Field("Part of line", values["LIN0402"])


def _pia(names: _Names, values: Values) -> Iterator[Field]:
    for at in range(2, 7):
        code = values.get(f"PIA{at:02d}01")
        if code:
            label = _lead(names.of("7143", values.get(f"PIA{at:02d}02", "")), "Item number")
            yield Field(label, code, "item")


def _imd(_names: _Names, values: Values) -> Iterator[Field]:
    text = " ".join(filter(None, (values.get(f"IMD03{at:02d}") for at in (4, 5, 1))))
    if text:
        yield Field("Description", text, "description")


def _ftx(names: _Names, values: Values) -> Iterator[Field]:
    text = " ".join(value for key, value in values.items() if key.startswith(("FTX04", "FTX03")))
    yield Field(_lead(names.of("4451", values.get("FTX0101", "")), "Text"), text)


def _nad(_names: _Names, values: Values) -> Iterator[Field]:
    def joined(*places: int) -> str:
        keys = [key for at in places for key in values if key.startswith(f"NAD{at:02d}")]
        return ", ".join(values[key] for key in keys)

    number = values.get("NAD0201")
    if number:
        yield Field("GLN" if values.get("NAD0203") == "9" else "Identification", number)
    named = (("Name", joined(3, 4)), ("Street", joined(5)), ("City", joined(6)))
    rest = (("Region", joined(7)), ("Postal code", joined(8)), ("Country", joined(9)))
    yield from (Field(label, text) for label, text in (*named, *rest) if text)


def _cux(_names: _Names, values: Values) -> Iterator[Field]:
    if values.get("CUX0102"):
        yield Field("Currency", values["CUX0102"])
    if values.get("CUX0202"):
        yield Field("Target currency", values["CUX0202"])
    if values.get("CUX0301"):
        yield Field("Rate of exchange", values["CUX0301"])


def _uns(_names: _Names, _values: Values) -> Iterator[Field]:
    yield from ()


_SEGMENTS: dict[str, Callable[[_Names, Values], Iterator[Field]]] = {
    "DTM": _dtm, "RFF": _rff, "QTY": _qty, "PRI": _pri, "MOA": _moa, "CNT": _cnt, "LIN": _lin,
    "PIA": _pia, "IMD": _imd, "FTX": _ftx, "NAD": _nad, "CUX": _cux, "UNS": _uns,
}  # fmt: skip
"""Segments that say one thing in several elements -> how they say it."""
