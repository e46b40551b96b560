"""What an answer of a partner says of what we sent: CONTRL (syntax) and APERAK (content).

Every interchange of ours holds one message, and both have one number: what an answer says of the
interchange, of a group or of its only message, it says of one document, and of none of another type
than the CONTRL names. An APERAK may name the document by its own number instead. Reasons carry codes and places, never what a partner wrote.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from connectors.base import Confirmation, Reason

Json = dict[str, Any]

FLOWS = ("CONTRL", "APERAK")
"""Messages that only say something of what we sent."""

_REJECTED, _RECEIVED = "4", "8"
"""Element 0083; 1 and 7 acknowledge what is not rejected below."""

_WORDS = {
    "2": "syntax_unsupported",
    "7": "receiver_unknown",
    "12": "code_invalid",
    "13": "part_missing",
    "14": "message_unsupported",
    "15": "part_not_in_message",
    "16": "element_too_many",
    "19": "decimal_invalid",
    "21": "element_invalid_character",
    "22": "delimiter_ambiguous",
    "23": "partner_unknown",
    "25": "usage_mismatch",
    "26": "number_duplicate",
    "28": "control_mismatch",
    "29": "count_mismatch",
    "32": "content_missing",
    "35": "part_exceeds_maximum",
    "36": "segment_group_exceeds_maximum",
    "37": "element_type_invalid",
    "39": "element_too_long",
    "40": "element_too_short",
    "46": "charset_unsupported",
}
"""Element 0085 (syntax error) -> our word; every other code is ``partner_error``."""

_DUPLICATE = "code 26"
"""Element 0085: duplicate detected; of what we write, only the number of the whole can be one."""

_DIGITS = 14
"""Element 0020 (interchange control reference) is an..14."""

_ORDERS = ("order", "order_change", "order_response")
_DOCUMENT: dict[str, tuple[str, ...]] = {
    "AGO": (),
    "ACE": (),
    "IV": ("invoice",),
    "AAK": ("shipment",),
    "DQ": ("shipment",),
    "ON": _ORDERS,
    "VN": _ORDERS,
}
"""Element 1153, best first: references that are our document's own number, and of which kinds of
document; none: of any (our reference to the original message, a related document)."""
_MESSAGE = "ACW"
"""Element 1153: our message reference, which is our interchange's number."""

_FUNCTIONS = {"27": "rejected", "12": "rejected", "29": "accepted", "34": "accepted"}
"""Element 1225: not accepted, not processed, accepted without and with amendment."""
_RESPONSES = {"RE": "rejected", "AP": "accepted", "AC": "accepted", "AB": "received"}
"""Element 4343: rejected, accepted, acknowledged with detail, receipt of the message."""


def confirmations(flow: str, body: Json, scope: str) -> tuple[Confirmation, ...]:
    """Return what an answer says: of one document of ours, or of none.

    Args:
        flow: one of `FLOWS`.
        body: the message.
        scope: where the number that it names was counted.
    """
    said = _syntax(body) if flow == "CONTRL" else _application(body)
    return tuple(replace(each, scope=scope) for each in said)


def _syntax(body: Json) -> Iterator[Confirmation]:
    uci, detail = body.get("heading", {}).get("UCI", {}), body.get("detail", {})
    number = _number(uci.get("UCI0101", ""))
    if not number:
        return
    actions, reasons = [uci.get("UCI0401", "")], list(_error("UCI", uci))
    messages = list(detail.get("UCM_group", ()))
    for group in detail.get("UCF_group", ()):
        actions.append(group["UCF"].get("UCF0401", ""))
        reasons += _error("UCF", group["UCF"])
        messages += group.get("UCM_group", ())
    for message in messages:
        actions.append(message["UCM"].get("UCM0301", ""))
        reasons += _error("UCM", message["UCM"])
        for segment in message.get("UCS_group", ()):
            reasons += _segment(segment)
    types = (message["UCM"].get("UCM0201", "") for message in messages)
    flows = tuple(dict.fromkeys(filter(None, types)))
    yield Confirmation(number, _state(actions, reasons), tuple(reasons), flows=flows)


def _state(actions: list[str], reasons: list[Reason]) -> str:
    if _REJECTED in actions:  # a no to the number alone: we send copies under one on purpose
        alone = all(
            each.detail == _DUPLICATE and not each.where.startswith("segment ") for each in reasons
        )
        return "duplicate" if reasons and alone else "rejected"
    if actions == [_RECEIVED]:
        return "received"
    return "accepted_with_errors" if reasons else "accepted"


def _error(tag: str, segment: Json) -> Iterator[Reason]:
    """The error of a UCI, UCF or UCM: its code, and the service segment and element it is in."""
    at = 4 if tag == "UCM" else 5  # UCM has one element less before its error
    code = segment.get(f"{tag}{at:02d}01", "")
    if not code:
        return
    place = _plain(segment.get(f"{tag}{at + 1:02d}01", "")) or tag
    element = segment.get(f"{tag}{at + 2:02d}01", "")
    yield _reason(code, place + _element(element, segment.get(f"{tag}{at + 2:02d}02", "")))


def _segment(group: Json) -> Iterator[Reason]:
    """What is wrong with one segment: with itself, or with its elements."""
    ucs = group["UCS"]
    place = f"segment {_plain(ucs.get('UCS0101', ''))}"
    if code := ucs.get("UCS0201", ""):
        yield _reason(code, place)
    for ucd in group.get("UCD", ()):
        element = _element(ucd.get("UCD0201", ""), ucd.get("UCD0202", ""))
        yield _reason(ucd.get("UCD0101", ""), place + element)


def _element(position: str, component: str) -> str:
    """An element as a part of a place; the tag counts as position 1 (element 0098)."""
    if not _number(position):
        return ""
    part = f" component {_plain(component)}" if component else ""
    return f" element {int(position) - 1}{part}"


def _reason(code: str, where: str) -> Reason:
    return Reason(_WORDS.get(code, "partner_error"), where, f"code {_plain(code)}")


def _application(body: Json) -> Iterator[Confirmation]:
    heading, errors = body.get("heading", {}), body.get("detail", {}).get("ERC_group", ())
    groups = [*heading.get("RFF_group", ()), *(g for e in errors for g in e.get("RFF_group", ()))]
    named: dict[str, str] = {}
    for group in groups:
        rff = group["RFF"]
        named.setdefault(rff.get("RFF0101", ""), rff.get("RFF0102", ""))
    qualifier = next((each for each in _DOCUMENT if named.get(each)), "")
    document, entities = named.get(qualifier, ""), _DOCUMENT.get(qualifier, ())
    number = _number(named.get(_MESSAGE, ""))
    if not number and not document:
        document = named.get(_MESSAGE, "")  # some write our document's number there
    if number or document:
        reasons = tuple(_application_error(at, each) for at, each in enumerate(errors, 1))
        state = _response(heading["BGM"], reasons)
        yield Confirmation(number, state, reasons, document, entities)


def _response(bgm: Json, reasons: tuple[Reason, ...]) -> str:
    """What an APERAK says as a whole; where it does not say so itself, errors are a no."""
    said = _FUNCTIONS.get(bgm.get("BGM0301", "")) or _RESPONSES.get(bgm.get("BGM0401", ""))
    if said is None:
        return "rejected" if reasons else "accepted"
    return "accepted_with_errors" if said == "accepted" and reasons else said


def _application_error(at: int, group: Json) -> Reason:
    return Reason("application_error", f"ERC[{at}]", f"code {_plain(group['ERC'].get('ERC0101', ''))}")  # fmt: skip


def _number(text: str) -> int:
    """A number of ours; 0: it is none."""
    plain = text.isascii() and text.isdecimal() and len(text) <= _DIGITS
    return int(text) if plain else 0


def _plain(text: str) -> str:
    """A code or position of a partner's as part of a reason: short and harmless."""
    return "".join(each for each in text if each.isascii() and each.isalnum())[:12]
