"""A transaction set as a person reads it, out of its body and the names in its guide.

What codes mean is ``meanings.json``, by element; a code that is not there is shown as it is.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from functools import cache
from importlib.resources import files
from typing import Any

from connectors.paper import Block, Field, Paper, Role, clock, day
from connectors.x12.engine.guide import Guide, load_guide
from connectors.x12.engine.rule import Element, SegmentRule

_NUMBERS = {
    "204": "B204", "210": "B302", "214": "B1002", "810": "BIG02", "820": "TRN02", "824": "BGN02",
    "832": "BCT03", "846": "BIA03", "850": "BEG03", "852": "XQ02", "855": "BAK03", "856": "BSN02",
    "860": "BCH03", "864": "BMG02", "865": "BCA03", "940": "W0502", "943": "W0602", "944": "W1703",
    "945": "W0602", "947": "W1502", "990": "B102",
}  # fmt: skip
"""Transaction set -> the element that holds its own number."""

_QUALIFIED = {
    "235": ("234",), "128": ("127",), "374": ("373", "337"), "432": ("373",), "365": ("364",),
    "522": ("782",), "673": ("380",), "66": ("67",), "349": ("352",), "738": ("739",),
}  # fmt: skip
"""Qualifier's element -> the elements right behind it whose label it gives."""

_QUANTITIES = frozenset({"330", "358", "380", "382", "413", "81", "356", "671"})
_PRICES = frozenset({"212"})
_UNITS = frozenset({"355", "C001", "188"})
_BASIS = "639"
_LINES = frozenset({"PO1", "POC", "IT1", "LIN", "LX", "W01", "W07", "W04", "W19", "ASI", "RMR"})
_PARTIES = frozenset({"N1"})
_SCHEMES = {
    "92": "Our number for it",
    "91": "Its number for itself",
    "UL": "GLN",
    "9": "DUNS+4",
    "1": "DUNS",
}


def paper(kind: str, version: str, control_number: str, body: Mapping[str, Any]) -> Paper | None:
    """A set as a paper; None where no guide exists for it.

    Args:
        kind: ST01.
        version: GS08.
        control_number: ST02.
        body: its heading, detail and summary.

    """
    guide = load_guide(kind, version)
    if guide is None:
        return None
    fields: list[Field] = []
    blocks: list[Block] = []
    for area in ("heading", "detail", "summary"):
        inner = _node(guide, body.get(area, {}))
        fields += inner[0]
        blocks += inner[1]
    number = _number(kind, body.get("heading", {})) or control_number
    return Paper(kind, guide.name, number, tuple(fields), tuple(blocks))


def _number(kind: str, heading: Mapping[str, Any]) -> str:
    key = _NUMBERS.get(kind, "")
    found = heading.get(key[:-2], {})
    found = found[0] if isinstance(found, list) and found else found
    return str(found.get(key, "")) if isinstance(found, dict) else ""


def _node(guide: Guide, node: Mapping[str, Any]) -> tuple[list[Field], list[Block]]:
    """The fields of a loop's own segments, and its inner loops."""
    fields: list[Field] = []
    blocks: list[Block] = []
    for key, value in node.items():
        for each in value if isinstance(value, list) else [value]:
            if key.endswith("_loop"):
                blocks.append(_loop(guide, key.removesuffix("_loop"), each))
            else:
                fields += _segment(guide.rules[key], each)
    return _lifted(fields, blocks)


def _lifted(fields: list[Field], blocks: list[Block]) -> tuple[list[Field], list[Block]]:
    """Put loops of a single segment among the fields: a heading's AMT, a line's PID."""
    kept = []
    for block in blocks:
        if block.kind == "part" and not block.blocks and len(block.fields) == 1:
            fields += block.fields
        else:
            kept.append(block)
    return fields, kept


def _loop(guide: Guide, name: str, node: Mapping[str, Any]) -> Block:
    fields, blocks = _node(guide, node)
    first = node.get(name, {})
    first = first[0] if isinstance(first, list) else first
    if name in _PARTIES:
        role = first.get("N101", "")
        return Block("party", _meaning("98", role), role, tuple(fields), tuple(blocks))
    if name == "HL":
        level = _meaning("735", first.get("HL03", ""))
        own = tuple(each for each in fields if not each.label.startswith("Hierarchical"))
        return Block("level", f"{level} {first.get('HL01', '')}".rstrip(), "", own, tuple(blocks))
    if name in _LINES:
        number = next((each.value for each in fields if each.role == "number"), "")
        kept = [each for each in fields if each.role != "number"]
        inner = [each for each in blocks if each.kind == "line" and not each.identity]
        if name == "LX" and len(inner) == 1:  # LX only counts: what it counts is the line
            kept += inner[0].fields
            blocks = [each for each in blocks if each is not inner[0]] + list(inner[0].blocks)
        return Block("line", f"Line {number}".rstrip(), number, tuple(kept), tuple(blocks))
    return Block("part", guide.rules[name].name, "", tuple(fields), tuple(blocks))


def _segment(rule: SegmentRule, values: Mapping[str, Any]) -> list[Field]:
    known = _SEGMENTS.get(rule.tag)
    if known is not None:
        return list(known(values))
    found: list[Field] = []
    at = 0
    while at < len(rule.elements):
        at = _element(rule, at, values, found)
    # Elements that the guide keeps open stand behind those that it lists.
    for key in list(values)[:99]:
        position = int(key[len(rule.tag) :][:2]) if key.startswith(rule.tag) else 0
        if position > len(rule.elements):
            found.append(Field(f"{rule.name} {position:02d}", _text(values[key])))
    return found


def _element(rule: SegmentRule, at: int, values: Mapping[str, Any], found: list[Field]) -> int:
    """Add what the element at `at` says; gives where to go on."""
    element = rule.elements[at]
    value = values.get(rule.keys[at])
    if value is None:
        return at + 1
    if element.number in _QUALIFIED:
        text, after = _behind(rule, at, values)
        if text:
            found.append(_qualified(rule, element, rule.elements[at + 1], (str(value), text)))
            return after
    wanted: Role = "quantity" if element.number in _UNITS else "price"
    if element.number in (*_UNITS, _BASIS) and found and found[-1].role == wanted:
        found[-1] = replace(found[-1], value=f"{found[-1].value} {_text(value)}")
    elif shown := _value(element, value):
        found.append(Field(element.name or rule.name, shown, _role(rule, element)))
    return at + 1


def _behind(rule: SegmentRule, at: int, values: Mapping[str, Any]) -> tuple[str, int]:
    """What stands behind a qualifier and belongs to it; and the position after it."""
    texts = []
    after = at + 1
    for number in _QUALIFIED[rule.elements[at].number]:
        if after < len(rule.elements) and rule.elements[after].number == number:
            texts.append(_value(rule.elements[after], values.get(rule.keys[after])))
            after += 1
    return " ".join(filter(None, texts)), after


def _qualified(
    rule: SegmentRule, qualifier: Element, element: Element, said: tuple[str, str]
) -> Field:
    code, text = said
    if qualifier.number == "349":  # a free description says only that it is one
        return Field("Description", text, "description")
    known = _meanings().get(qualifier.number, {}).get(code)
    label = known or f"{element.name} {code}"
    if qualifier.number in ("374", "432") and not label.endswith("date"):
        label += " date"
    role: Role = "item" if qualifier.number == "235" else ""
    role = "quantity" if qualifier.number == "673" else role
    if rule.tag in ("AMT", "TDS"):
        role = "total"
    return Field(label, text, role)


def _role(rule: SegmentRule, element: Element) -> Role:
    if element.number in _QUANTITIES:
        return "quantity"
    if element.number in _PRICES:
        return "price"
    if element.number in ("350", "554") and (rule.tag in _LINES):
        return "number"
    return "total" if rule.tag in ("TDS", "CTT", "W03", "W76", "ISS") else ""


def _party(values: Mapping[str, str]) -> Iterator[Field]:
    if "N102" in values:
        yield Field("Name", values["N102"])
    if "N104" in values:
        scheme = values.get("N103", "")
        yield Field(_SCHEMES.get(scheme, f"Identification {scheme}".rstrip()), values["N104"])


def _contact(values: Mapping[str, str]) -> Iterator[Field]:
    role = _meaning("366", values.get("PER01", ""))
    reached = [values["PER02"]] if "PER02" in values else []
    for at in (3, 5, 7):
        number = values.get(f"PER{at + 1:02d}")
        if number:
            reached.append(f"{_meaning('365', values.get(f'PER{at:02d}', ''))} {number}")
    yield Field(f"Contact, {role}" if role else "Contact", ", ".join(reached))


def _street(values: Mapping[str, str]) -> Iterator[Field]:
    yield from (Field("Street", values[key]) for key in ("N301", "N302") if key in values)


def _described(values: Mapping[str, Any]) -> Iterator[Field]:
    """A PID: its words; a coded one keeps its codes."""
    if "PID05" in values:
        yield Field("Description", values["PID05"], "description")
    coded = [_text(values[key]) for key in values if key not in ("PID01", "PID05")]
    if coded:
        yield Field("Description, coded", ", ".join(coded))


def _currency(values: Mapping[str, Any]) -> Iterator[Field]:
    if "CUR02" in values:
        yield Field("Currency", values["CUR02"])
    rest = [_text(values[key]) for key in values if key not in ("CUR01", "CUR02")]
    if rest:
        yield Field("Currency, further", ", ".join(rest))


def _value(element: Element, value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        return _text(value)
    if element.type == "DT":
        return day(value)
    if element.type == "TM":
        return clock(value)
    if element.type.startswith("N") and element.type[1:].isdecimal() and element.type != "N0":
        return _shifted(value, int(element.type[1:]))
    known = _meanings().get(element.number, {}).get(value)
    return f"{known} ({value})" if known else value


def _shifted(value: str, places: int) -> str:
    """A number whose decimal point is implied (type N2) with its point."""
    try:
        return f"{Decimal(value).scaleb(-places):f}"
    except InvalidOperation:
        return value


def _text(value: Any) -> str:
    return ", ".join(value.values()) if isinstance(value, dict) else str(value)


def _meaning(number: str, code: str) -> str:
    return _meanings().get(number, {}).get(code, code)


_SEGMENTS: dict[str, Callable[[Mapping[str, Any]], Iterator[Field]]] = {
    "N1": _party, "PER": _contact, "N3": _street, "PID": _described, "CUR": _currency,
}  # fmt: skip
"""Segments that say one thing in several elements -> how they say it."""


@cache
def _meanings() -> dict[str, dict[str, str]]:
    path = files("connectors.x12") / "meanings.json"
    found: dict[str, dict[str, str]] = json.loads(path.read_text(encoding="utf-8"))
    return found
