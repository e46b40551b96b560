"""The functional acknowledgments: what a 997 or a 999 says about a group that was read.

Sources: X12 004010 997; X12 005010 999.

Both report syntax, not business acceptance, and are themselves never acknowledged.
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

MAX_POSITION = 99
"""Positions in a segment or composite have two digits (elements 722 and 1528)."""

MAX_ELEMENTS = 99
"""AK4 repeats up to 99 times in one AK3 loop."""


@dataclass(slots=True)
class SetResult:
    """How the check of one transaction set ended."""

    identifier: str
    control_number: str
    faults: Sequence[Fault]
    envelope: Sequence[EnvelopeFault]
    accepted: bool
    """Taken over; with faults that means that they were tolerated."""


@dataclass(slots=True)
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
    version: str = ""
    """GS08."""


VERSION_999 = "005010X231A1"
"""What a 999 is written as, whatever the group's version: 004010 has none."""


def implementation_acknowledgment(group: GroupResult) -> Json:
    """The 999 for a group, as a source document's body.

    It says what a 997 says, and of each syntax note that was broken (X12 999, CTX) in which
    segment and loop the situation arose.
    """
    body = acknowledgment(group, VERSION_999)
    heading = body["heading"]
    if group.version:
        heading["AK1"]["AK103"] = _fitted(group.version, 1, 12)
    results = zip(group.sets, heading.get("AK2_loop", ()), strict=True)
    for result, response in results if "AK2_loop" in heading else ():
        notes = [_context_note(list(faults)) for _, faults in groupby(result.faults, _place)]
        response.pop("AK3_loop", None)
        if notes:
            response["IK3_loop"] = notes
        ak5 = response.pop("AK5")
        response["IK5"] = {key.replace("AK5", "IK5"): value for key, value in ak5.items()}
    return {**body, "transaction_set": "999"}


_SITUATIONAL = frozenset({"element_conditional_missing", "element_excluded"})


def _context_note(faults: list[Fault]) -> Json:
    """One IK3 with its IK4s."""
    first = faults[0]
    note = _note(faults)
    ik3 = {key.replace("AK3", "IK3"): value for key, value in note["AK3"].items()}
    if not first.element:
        ik3["IK304"] = first.implementation
    if "IK303" in ik3:
        ik3["IK303"] = ik3["IK303"][:4]
    made: Json = {"IK3": ik3}
    loops = []
    for fault, ak4 in zip(_elements(faults), note.get("AK4", ()), strict=True):
        ik4 = {key.replace("AK4", "IK4"): value for key, value in ak4.items()}
        ik4["IK401"] = {key.replace("AK4", "IK4"): v for key, v in ak4["AK401"].items()}
        ik4["IK403"] = fault.implementation
        loop: Json = {"IK4": ik4}
        if fault.code in _SITUATIONAL:
            loop["CTX"] = [_situation(fault)]
        loops.append(loop)
    if loops:
        made["IK4_loop"] = loops
    return made


def _situation(fault: Fault) -> Json:
    """Where a syntax note was broken: CTX with the literal that X12 gives for it."""
    context = {
        "CTX01": {"CTX0101": "SITUATIONAL TRIGGER"},
        "CTX02": _fitted(fault.tag, 2, 3),
        "CTX03": str(min(fault.position, 999_999)),
        "CTX04": fault.loop[:4],
    }
    return {key: value for key, value in context.items() if value}


def interchange_acknowledgment(isa: Sequence[str], code: str, note: str, version: str) -> Json:
    """The TA1 for an interchange, as a source document's body (X12.5, TA1).

    Args:
        isa: the ISA of the interchange that is answered, with its 16 elements.
        code: TA104: A accepted, E accepted with errors, R rejected (element I17).
        note: TA105 (element I18); 000 where nothing is wrong.
        version: of the interchange that carries the TA1.

    """
    control, date, time = (isa[at].strip() for at in (13, 9, 10))
    return {
        "transaction_set": "TA1",
        "version": version,
        "TA1": {
            "TA101": control if _is_number(control, 9) and len(control) == 9 else "0" * 9,  # noqa: PLR2004  # element I12
            "TA102": date if _is_number(date, 6) and len(date) == 6 else "000101",  # noqa: PLR2004  # element I08
            "TA103": time if _is_number(time, 4) and len(time) == 4 else "0000",  # noqa: PLR2004  # element I09
            "TA104": code,
            "TA105": note,
        },
    }


def application_advice(group: GroupResult, result: SetResult, at: str, version: str) -> Json:
    """The 824 for a set that an application check refused, as a source document's body.

    Args:
        group: its group.
        result: the set, with what the application found.
        at: the day of the answer, CCYYMMDD.
        version: of the 824.

    """
    number = group.control_number if _is_number(group.control_number, 9) else "0"
    reference = f"{number}-{_fitted(result.control_number, 4, 9)}"
    oti = {
        "OTI01": "TR",
        "OTI02": "TN",
        "OTI03": _fitted(result.control_number, 4, 9),
        "OTI08": number,
        "OTI09": _fitted(result.control_number, 4, 9),
        "OTI10": _fitted(result.identifier, 3, 3),
    }
    errors = [{"TED": _technical(fault)} for fault in result.faults]
    return {
        "transaction_set": "824",
        "version": version,
        "heading": {"BGN": {"BGN01": "00", "BGN02": reference, "BGN03": at}},
        "detail": {"OTI_loop": [{"OTI": oti, "TED_loop": errors}]},
    }


def _technical(fault: Fault) -> Json:
    ted = {
        "TED01": fault.ack,
        "TED02": f"{fault.where} {fault.code}"[:60],
        "TED03": _fitted(fault.tag, 2, 3),
        "TED04": str(min(fault.position, 999_999)),
        "TED05": str(fault.element) if fault.element else "",
    }
    return {key: value for key, value in ted.items() if value}


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
    }
    if group.faults:
        ak9 |= _codes("AK9", 5, [fault.ack for fault in group.faults])
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
    loop: Json = {
        "AK2": {
            "AK201": _fitted(result.identifier, 3, 3),
            "AK202": _fitted(result.control_number, 4, 9),
        }
    }
    if not (result.envelope or result.faults):
        loop["AK5"] = {"AK501": "A" if result.accepted else "R"}
        return loop
    envelope = [fault.ack for fault in result.envelope]
    codes = [*envelope, "5"] if result.faults else envelope
    code = "E" if result.accepted else "R"
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
    elements = [_element(fault) for fault in _elements(faults)]
    if elements:
        note["AK4"] = elements
    return note


def _elements(faults: list[Fault]) -> list[Fault]:
    return [fault for fault in faults[:MAX_ELEMENTS] if fault.element]


def _element(fault: Fault) -> Json:
    # A surplus element or component may stand further back than its place can be told.
    place = {"AK40101": str(min(fault.element, MAX_POSITION))}
    if fault.component:
        place["AK40102"] = str(min(fault.component, MAX_POSITION))
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
    plain = text if text.isalnum() else "".join(filter(str.isalnum, text))
    return plain[:most].rjust(least, "0")
