"""What a partner makes narrower in a guide, as data: the ``guide`` option of a connection.

An overlay names a message and places in it, and says what is different there:

    ORDERS:
      - {at: LIN_group.QTY, status: M, maximum: 1}
      - {at: LIN_group.QTY.QTY0101, codes: ["21"]}
      - {at: FTX, status: X}

A place is the way through a document's keys, without its section. ``status`` is M (mandatory), C
(conditional) or X (not used); ``maximum`` is how often a segment or group may occur, or how long a
value may be; ``codes`` are the codes that may stand there. Code of the `ConfigError` raised here:
``overlay_invalid``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from canonical.errors import ConfigError
from connectors.edifact.engine.directory import compile_guide, read_table
from connectors.edifact.engine.guide import (
    Component,
    Field,
    Group,
    Guide,
    SegmentRule,
    Slot,
    segment_rule,
)

_KEY_LENGTH = 7


@dataclass(frozen=True, slots=True)
class Narrower:
    """One place that a partner makes narrower."""

    at: str
    status: Literal["M", "C", "X"] | None = None
    maximum: int | None = None
    codes: tuple[str, ...] = ()


def narrowed(message: str, release: str, overlay: Sequence[Narrower]) -> Guide:
    """A guide of its own for one partner.

    Raises:
        ConfigError: ``overlay_invalid``: no such place, or nothing that a place of its kind takes.

    """
    guide = compile_guide(read_table(release, message), release)
    for one in overlay:
        _apply(guide, message, one)
    return guide


def _apply(guide: Guide, message: str, one: Narrower) -> None:
    *way, last = one.at.split(".")
    is_element = len(last) == _KEY_LENGTH and last[:3] in way
    groups = [guide.root]
    for key in way[:-1] if is_element else way:
        groups = [
            item
            for group in groups
            for item in group.items
            if isinstance(item, Group) and item.key == key
        ]
    changed = any(_change(group, last, one, is_element=is_element) for group in groups)
    if not changed:
        raise ConfigError("overlay_invalid", f"guide.{message}", "a place that the guide lacks")


def _change(group: Group, last: str, one: Narrower, *, is_element: bool) -> bool:
    """Change the places of one group; whether there was any."""
    found = False
    for at, item in reversed(list(enumerate(group.items))):
        if isinstance(item, Group):
            found = (item.key == last and _use(group, at, one)) or found
        elif is_element:
            found = (item.tag == last[:3] and _element(item, last, one)) or found
        else:
            found = (item.tag == last and _use(group, at, one)) or found
    return found


def _use(group: Group, at: int, one: Narrower) -> bool:
    item = group.items[at]
    if one.status == "X":
        del group.items[at]
        for index, each in enumerate(group.items):
            each.index = index
        return True
    if one.status is not None:
        item.mandatory = one.status == "M"
    if one.maximum is not None:
        item.maximum = min(item.maximum, one.maximum)
    return True


def _element(slot: Slot, key: str, one: Narrower) -> bool:
    for at, names in enumerate(slot.rule.keys[: len(slot.rule.fields)]):
        if key in names:
            fields = list(slot.rule.fields)
            fields[at] = _field(fields[at], names.index(key), one)
            slot.rule = _rule(slot.rule, tuple(fields))
            return True
    return False


def _rule(rule: SegmentRule, fields: tuple[Field, ...]) -> SegmentRule:
    return segment_rule(rule.tag, rule.name, fields, is_open=rule.open)


def _field(field: Field, at: int, one: Narrower) -> Field:
    components = list(field.components)
    components[at] = _component(components[at], one)
    mandatory = field.mandatory or one.status == "M"
    return replace(field, components=tuple(components), mandatory=mandatory)


def _component(component: Component, one: Narrower) -> Component:
    return replace(
        component,
        mandatory=component.mandatory if one.status is None else one.status == "M",
        used=one.status != "X",
        maximum=min(component.maximum, one.maximum or component.maximum),
        codes=one.codes or component.codes,
    )
