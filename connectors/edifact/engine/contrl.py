"""The answer to an interchange: what a CONTRL says about it (UN/EDIFACT service message CONTRL).

A CONTRL reports syntax, not business acceptance, and is itself never answered. It has no code for
"accepted with errors": what a tolerant connection took over is acknowledged like the rest. Only
what is rejected is listed; everything else is acknowledged by the interchange's action 7.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from connectors.edifact.engine.envelope import Parts, part
from connectors.edifact.engine.faults import EnvelopeFault, Fault

Json = dict[str, Any]

REJECTED = "4"
"""This level and all lower levels rejected (element 0083)."""
ACKNOWLEDGED = "7"
"""This level acknowledged, lower levels too unless they are rejected explicitly."""

MAX_SEGMENTS = 999
MAX_ELEMENTS = 99
"""How often UCS and UCD repeat."""

MAX_POSITION = 999
"""Positions in a segment or composite have three digits (0098, 0104)."""


@dataclass(frozen=True, slots=True)
class MessageResult:
    """How the check of one message ended."""

    unh: Parts
    faults: Sequence[Fault]
    envelope: EnvelopeFault | None
    """What is wrong with the message as a whole."""


@dataclass(slots=True)
class GroupResult:
    """How the check of one group ended; `ung` is [] for messages that stand in none."""

    ung: Parts
    fault: EnvelopeFault | None = None
    rejected: list[MessageResult] = field(default_factory=list)
    """Its messages that were rejected by themselves."""


def answer(unb: Parts, fault: EnvelopeFault | None, groups: Sequence[GroupResult]) -> Json:
    """The CONTRL for an interchange, as a source document's body.

    Args:
        unb: the header of the interchange.
        fault: why all of it is rejected, if it is.
        groups: its groups, and one without a `ung` for messages that stand in none.

    """
    uci = {
        **_repeated("UCI01", [part(unb, 5)], 14, "0"),
        **_repeated("UCI02", _side(unb, 2), 35, "?"),
        **_repeated("UCI03", _side(unb, 3), 35, "?"),
        "UCI0401": REJECTED if fault else ACKNOWLEDGED,
        **_error("UCI", fault),
    }
    body: Json = {"message": "CONTRL", "heading": {"UCI": uci}}
    if fault is None and (detail := _detail(groups)):
        body["detail"] = detail
    return body


def _detail(groups: Sequence[GroupResult]) -> Json:
    alone = [_message(each) for group in groups if not group.ung for each in group.rejected]
    grouped = [_group(group) for group in groups if group.ung and (group.fault or group.rejected)]
    found = {"UCM_group": alone, "UCF_group": grouped}
    return {key: value for key, value in found.items() if value}


def _group(group: GroupResult) -> Json:
    ucf = {
        **_repeated("UCF01", [part(group.ung, 5)], 14, "0"),
        **_repeated("UCF02", [part(group.ung, 2, 1), part(group.ung, 2, 2)], 35, "?"),
        **_repeated("UCF03", [part(group.ung, 3, 1), part(group.ung, 3, 2)], 35, "?"),
        "UCF0401": REJECTED if group.fault else ACKNOWLEDGED,
        **_error("UCF", group.fault),
    }
    node: Json = {"UCF": ucf}
    if group.rejected and not group.fault:
        node["UCM_group"] = [_message(each) for each in group.rejected]
    return node


def _message(result: MessageResult) -> Json:
    unh = result.unh
    ucm = {
        **_repeated("UCM01", [part(unh, 1)], 14, "0"),
        **_repeated("UCM02", [part(unh, 2, at) for at in range(1, 6)], 6),
        "UCM0301": REJECTED,
        **_error("UCM", result.envelope),
    }
    if not all(ucm.get(f"UCM02{at:02d}") for at in range(1, 5)):
        ucm = {key: value for key, value in ucm.items() if not key.startswith("UCM02")}
    node: Json = {"UCM": ucm}
    if result.faults:
        by_place = groupby(result.faults, _place)
        node["UCS_group"] = [_segment(list(each)) for _, each in by_place][:MAX_SEGMENTS]
    return node


def _place(fault: Fault) -> tuple[int, str]:
    """What makes one UCS: a segment, and what is wrong with it as a whole."""
    return fault.position, "" if fault.element else fault.error


def _segment(faults: list[Fault]) -> Json:
    first = faults[0]
    ucs = {"UCS0101": str(min(first.position, 999_999))}
    if not first.element:
        return {"UCS": {**ucs, "UCS0201": first.error}}
    return {"UCS": ucs, "UCD": [_element(fault) for fault in faults[:MAX_ELEMENTS]]}


def _element(fault: Fault) -> Json:
    # The tag counts as position 1 (element 0098), so the first element has 2.
    place = {"UCD0101": fault.error, "UCD0201": str(min(fault.element + 1, MAX_POSITION))}
    if fault.component:
        place["UCD0202"] = str(min(fault.component, MAX_POSITION))
    return place


def _error(tag: str, fault: EnvelopeFault | None) -> Json:
    """Error code, service segment and element of a UCI, UCF or UCM; nothing without a fault."""
    if fault is None:
        return {}
    # UCM has one element less before its error than UCI and UCF have.
    at = 4 if tag == "UCM" else 5
    found = {f"{tag}{at:02d}01": fault.error}
    where = fault.where
    if len(where) >= 3:  # noqa: PLR2004  # a tag
        found[f"{tag}{at + 1:02d}01"] = where[:3]
    if where[3:5].isdecimal():
        found[f"{tag}{at + 2:02d}01"] = str(int(where[3:5]) + 1)
    if where[5:7].isdecimal():
        found[f"{tag}{at + 2:02d}02"] = str(int(where[5:7]))
    return found


def _side(unb: Parts, at: int) -> list[str]:
    return [part(unb, at, 1), part(unb, at, 2), part(unb, at, 3)]


def _repeated(prefix: str, values: list[str], most: int, least: str = "") -> Json:
    """Values of the sender's, made to fit the elements that repeat them.

    Only ASCII is repeated: what no character set of ours can write would leave the sender without
    any answer.

    Args:
        prefix: of the keys.
        values: the components.
        most: how long the first may be.
        least: what stands for the first where nothing of it is left; "": nothing does.

    """
    longest = [most, 4, 14] if most == 35 else [most] * len(values)  # noqa: PLR2004  # S002, S003
    longest = [6, 3, 3, 3, 6] if prefix == "UCM02" else longest
    fitted = [plain(value, size) for value, size in zip(values, longest, strict=False)]
    fitted[0] = fitted[0] or least
    return {f"{prefix}{at:02d}": value for at, value in enumerate(fitted, 1) if value}


def plain(text: str, most: int) -> str:
    """The printable ASCII of a text, at most so many characters."""
    return "".join(c for c in text if " " <= c <= "~")[:most].strip(" ")
