"""The functional acknowledgment: what a 997 says about a group that was read (X12 004010 997).

A 997 reports syntax, not business acceptance, and is itself never acknowledged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from connectors.x12.engine.faults import EnvelopeFault, Fault

Json = dict[str, Any]

MAX_CODES = 5
"""AK5 and AK9 have room for five syntax error codes each."""

MAX_ELEMENTS = 99
"""AK4 repeats up to 99 times in one AK3 loop."""


@dataclass(frozen=True, slots=True)
class SetResult:
    """How the check of one transaction set ended."""

    identifier: str
    control_number: str
    faults: Sequence[Fault]
    envelope: Sequence[EnvelopeFault]
    accepted: bool
    """Taken over; with faults that means that they were tolerated."""


@dataclass(frozen=True, slots=True)
class GroupResult:
    """How the check of one functional group ended."""

    functional_id: str
    """GS01."""
    control_number: str
    """GS06."""
    declared: str
    """GE01 as read; "" where there is none."""
    sets: Sequence[SetResult]
    faults: Sequence[EnvelopeFault]


def acknowledgment(group: GroupResult, version: str) -> Json:
    """The 997 for a group, as a source document's body.

    AK404, the copy of the bad data, is left out: what cannot be read may not be writable either,
    and partners' payloads stay out of answers and logs alike.
    """
    accepted = sum(result.accepted for result in group.sets)
    received = len(group.sets)
    ak9 = {
        "AK901": _group_code(group, accepted),
        "AK902": _count(group.declared, received),
        "AK903": str(received),
        "AK904": str(accepted),
        **_codes("AK9", 5, [fault.ack for fault in group.faults]),
    }
    # A number that is none cannot be repeated in AK102 (element 28 is numeric).
    number = group.control_number
    heading: Json = {
        "AK1": {
            "AK101": _fitted(group.functional_id, 2, 2),
            "AK102": number if _is_number(number, 9) else "0",
        }
    }
    responses = [_response(result) for result in group.sets]
    if responses:
        heading["AK2_loop"] = responses
    heading["AK9"] = ak9
    return {"transaction_set": "997", "version": version, "heading": heading}


def _group_code(group: GroupResult, accepted: int) -> str:
    """AK901: accepted, accepted with errors noted, partially accepted, rejected (element 715)."""
    if not accepted:
        return "R"
    if accepted < len(group.sets):
        return "P"
    noted = group.faults or any(result.envelope or result.faults for result in group.sets)
    return "E" if noted else "A"


def _response(result: SetResult) -> Json:
    """One AK2 loop."""
    envelope = [fault.ack for fault in result.envelope]
    codes = [*envelope, "5"] if result.faults else envelope
    code = ("E" if codes else "A") if result.accepted else "R"
    loop: Json = {
        "AK2": {
            "AK201": _fitted(result.identifier, 3, 3),
            "AK202": _fitted(result.control_number, 4, 9),
        }
    }
    notes = [_note(list(faults)) for _, faults in groupby(result.faults, _place)]
    if notes:
        loop["AK3_loop"] = notes
    loop["AK5"] = {"AK501": code, **_codes("AK5", 2, codes)}
    return loop


def _place(fault: Fault) -> tuple[int, str, str]:
    """What makes one AK3: a segment, and what is wrong with it as a whole."""
    return fault.position, fault.tag, "" if fault.element else fault.ack


def _note(faults: list[Fault]) -> Json:
    """One AK3 with its AK4s."""
    first = faults[0]
    ak3 = {
        "AK301": _fitted(first.tag, 2, 3),
        "AK302": str(min(first.position, 999_999)),
        "AK303": first.loop[:6],
        "AK304": "8" if first.element else first.ack,
    }
    note: Json = {"AK3": {key: value for key, value in ak3.items() if value}}
    elements = [_element(fault) for fault in faults[:MAX_ELEMENTS] if fault.element]
    if elements:
        note["AK4"] = elements
    return note


def _element(fault: Fault) -> Json:
    place = {"AK40101": str(fault.element)}
    if fault.component:
        place["AK40102"] = str(fault.component)
    ak4: Json = {"AK401": place}
    if fault.number.isdecimal():
        ak4["AK402"] = fault.number
    ak4["AK403"] = fault.ack
    return ak4


def _codes(tag: str, first: int, codes: Sequence[str]) -> dict[str, str]:
    unique = list(dict.fromkeys(codes))[:MAX_CODES]
    return {f"{tag}{at:02d}": code for at, code in enumerate(unique, first)}


def _count(declared: str, received: int) -> str:
    """AK902 is what the sender wrote into GE01, as far as that is a number."""
    return str(int(declared)) if _is_number(declared, 6) else str(received)


def _is_number(text: str, most: int) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= most


def _fitted(text: str, least: int, most: int) -> str:
    """An identifier of the sender's made to fit the element that repeats it."""
    plain = "".join(character for character in text if character.isalnum())
    return plain[:most].rjust(least, "0")
