"""What an acknowledgment of a partner says of what we sent: 997, 999, TA1 and 824.

Every interchange of ours holds one group with one set, and both have one number: what an answer
says of the interchange, of the group or of its only set, it says of one document. A group is named
by its functional id as well as by its number (AK1), so that neither says anything of a set that the
named group cannot carry. Reasons carry codes and places, never the values that a partner repeats
(AK404, TED07).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from connectors.base import Confirmation, Reason
from connectors.x12.engine.faults import (
    ELEMENT_CODES,
    GROUP_CODES,
    INTERCHANGE_CODES,
    PARTNER_CODES,
    SEGMENT_CODES,
    SET_CODES,
)
from connectors.x12.groups import GROUPS

Json = dict[str, Any]

FLOWS = ("997", "999", "TA1", "824")
"""Sets that only say something of what we sent."""

_STATES = {"A": "accepted", "E": "accepted_with_errors"}
"""Elements 717 and 715; everything else (R, M, W, X, and P of a group) is a rejection."""
_ENVELOPE = {"A": "received", "E": "received"}
"""Element I17: a TA1 speaks of the envelope only, what is inside is still to be answered."""
_ADVICE = {
    "TA": "accepted", "TC": "accepted_with_errors", "TE": "accepted_with_errors",
    "TP": "rejected", "TR": "rejected",
    "GA": "accepted", "GC": "accepted_with_errors", "GE": "accepted_with_errors",
    "GP": "rejected", "GR": "rejected",
    "IA": "accepted", "IC": "accepted_with_errors", "IE": "accepted_with_errors",
    "IP": "rejected", "IR": "rejected",
}  # fmt: skip
"""Element 110, of the set, its group or an item in it: accepted (A), with a change of its data (C),
with errors (E), in part (P), rejected (R). What is refused in part is for a person to look at."""

_WORDS = {
    "AK9": {row[0]: word for word, row in reversed(GROUP_CODES.items())},
    "AK5": {row[0]: word for word, row in reversed(SET_CODES.items())},
    "TA1": {row[0]: word for word, row in reversed(INTERCHANGE_CODES.items())},
    "AK3": {row[0]: word for word, row in SEGMENT_CODES.items()},
    "AK4": {row[0]: word for word, row in ELEMENT_CODES.items()}
    | {row[1]: word for word, row in PARTNER_CODES.items() if row[1].startswith("I")},
}
"""The standard's codes -> our words, by the segment that carries them."""

_DUPLICATE = {
    ("ISA", "code 025"),  # I18: duplicate interchange control number
    ("AK9", "code 19"),  # 716: group control number not unique within the interchange
    ("AK5", "code 23"),  # 718: set control number not unique within the group
    ("IK5", "code 23"),
}
"""(place, detail) of a no to the number alone. What we write holds one group with one set, so that
it cannot be about two of them in one interchange."""
_DUPLICATE_ADVICE = "006"
"""Element 647: duplicate; of the document where it stands at no later segment than its second."""
_BEGINNING = ("", "1", "2")

_OVER = "5"
"""Element 718: one or more segments in error: said by their own AK3."""
_SEGMENT_OVER = "8"
"""Element 720: the segment's elements are in error: said by their own AK4."""


def confirmations(flow: str, body: Json, scope: str) -> tuple[Confirmation, ...]:
    """Return what an acknowledgment says, one for each document of ours that it is about.

    Args:
        flow: one of `FLOWS`.
        body: the set, or the TA1.
        scope: where the numbers that it names were counted.
    """
    if flow == "TA1":
        said = _interchange(body["TA1"])
    elif flow == "824":
        said = _advice(body)
    else:
        said = _group(body.get("heading", {}), flow)
    return tuple(replace(each, scope=scope) for each in said)


def _group(heading: Json, flow: str) -> Iterator[Confirmation]:
    number = heading.get("AK1", {}).get("AK102", "")
    if not _is_number(number):
        return
    trailer, note, group = ("IK5", "IK3", "AK9") if flow == "999" else ("AK5", "AK3", "AK9")
    code = heading.get(group, {}).get("AK901", "")
    reasons = list(_codes(heading.get(group, {}), "AK9", 5))
    named = [each.get("AK2", {}).get("AK201", "") for each in heading.get("AK2_loop", ())]
    for response in heading.get("AK2_loop", ()):
        code = response.get(trailer, {}).get(f"{trailer}01", code)
        reasons += _codes(response.get(trailer, {}), trailer, 2)
        for loop in response.get(f"{note}_loop", ()):
            reasons += _notes(loop, note)
    flows = _carried(heading["AK1"].get("AK101", ""), named)
    state = _STATES.get(code) or _refused(reasons)
    yield Confirmation(int(number), state, tuple(reasons), flows=flows)


def _refused(reasons: Sequence[Reason]) -> str:
    """A no to the number alone is told apart: we send copies under one number on purpose."""
    alone = all((each.where, each.detail) in _DUPLICATE for each in reasons)
    return "duplicate" if reasons and alone else "rejected"


def _carried(functional_id: str, named: list[str]) -> tuple[str, ...]:
    """The sets that the answer can be about; of a group that carries none of them, none of ours."""
    carried = GROUPS.get(functional_id, ())
    found = tuple(each for each in carried if not named or each in named)
    return found or (f"group {_plain(functional_id)}",)


def _codes(segment: Json, tag: str, first: int) -> Iterator[Reason]:
    """The error codes of a trailer, in its five places."""
    words = _WORDS["AK5" if tag == "IK5" else tag]
    for at in range(first, first + 5):
        code = segment.get(f"{tag}{at:02d}", "")
        if code and (code != _OVER or tag == "AK9"):
            yield Reason(words.get(code, "partner_error"), tag, f"code {_plain(code)}")


def _notes(loop: Json, tag: str) -> Iterator[Reason]:
    """What is wrong with one segment: with itself, or with its elements."""
    segment = loop[tag]
    place = f"{_plain(segment.get(f'{tag}01', ''))} segment {_plain(segment.get(f'{tag}02', ''))}"
    code = segment.get(f"{tag}04", "")
    if code and code != _SEGMENT_OVER:
        yield Reason(_WORDS["AK3"].get(code, "partner_error"), place, f"code {_plain(code)}")
    inner = "IK4" if tag == "IK3" else "AK4"
    found = loop.get("IK4_loop", ()) if tag == "IK3" else loop.get("AK4", ())
    for each in found:
        element = each["IK4"] if tag == "IK3" else each
        at = _plain(element.get(f"{inner}01", {}).get(f"{inner}0101", ""))
        code = element.get(f"{inner}03", "")
        word = _WORDS["AK4"].get(code, "partner_error")
        yield Reason(word, f"{place} element {at}", f"code {_plain(code)}")


def _interchange(segment: Json) -> Iterator[Confirmation]:
    number, code = segment.get("TA101", ""), segment.get("TA105", "000")
    if _is_number(number):
        word = _WORDS["TA1"].get(code, "partner_error")
        reasons = () if code == "000" else (Reason(word, "ISA", f"code {_plain(code)}"),)
        state = _ENVELOPE.get(segment.get("TA104", "")) or _refused(reasons)
        yield Confirmation(int(number), state, reasons)


def _advice(body: Json) -> Iterator[Confirmation]:
    """An 824 names its original by group and set where its sender fills OTI08 and OTI09."""
    for loop in body.get("detail", {}).get("OTI_loop", ()):
        oti = loop["OTI"]
        number, code = oti.get("OTI08", ""), oti.get("OTI01", "")
        if _is_number(number):
            reasons = [
                Reason(
                    "application_error",
                    f"{_plain(each['TED'].get('TED03', ''))} segment "
                    f"{_plain(each['TED'].get('TED04', ''))}",
                    f"code {_plain(each['TED'].get('TED01', ''))}",
                )
                for each in loop.get("TED_loop", ())
            ]
            flows = (oti["OTI10"],) if "OTI10" in oti else ()
            state = _ADVICE.get(code, "rejected")
            if state == "rejected" and _is_repeated(loop):
                state = "duplicate"
            yield Confirmation(int(number), state, tuple(reasons), flows=flows)


def _is_repeated(loop: Json) -> bool:
    """Whether an 824 objects to nothing but that the document has come before."""
    faults = [each["TED"] for each in loop.get("TED_loop", ())]
    return bool(faults) and all(
        ted.get("TED01") == _DUPLICATE_ADVICE and ted.get("TED04", "") in _BEGINNING
        for ted in faults
    )


def _is_number(text: str) -> bool:
    """Whether it can be a control number (elements I12 and 28: nine digits at most)."""
    return text.isascii() and text.isdecimal() and len(text) <= 9  # noqa: PLR2004  # as above


def _plain(text: str) -> str:
    """A code or a position as the partner wrote it, as far as it can be one."""
    return text if text.isascii() and text.isalnum() and len(text) <= 6 else "?"  # noqa: PLR2004  # element 719, the longest
