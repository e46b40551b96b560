"""Interchanges, groups and messages: their events, counts and references."""

from __future__ import annotations

import pytest

from connectors.edifact.engine.envelope import (
    GroupEnd,
    GroupStart,
    InterchangeEnd,
    InterchangeStart,
    Message,
    walk,
)
from connectors.edifact.engine.reader import Stray, read
from tests.support.edifact_text import ORDER, group, interchange, message, orders

GOOD = orders()


def events(text: str) -> list[tuple[str, list[str]]]:
    """Each event's kind and the codes of its faults."""
    return [
        (type(event).__name__, [event.error.code] if isinstance(event, Stray) else [fault.code for fault in event.faults])
        for event in walk(read((text.encode(),)))
    ]  # fmt: skip


def codes(text: str) -> list[str]:
    return [code for _, found in events(text) for code in found]


def messages(text: str) -> list[Message]:
    return [event for event in walk(read((text.encode(),))) if isinstance(event, Message)]


def test_a_whole_interchange_has_a_start_its_messages_and_an_end() -> None:
    assert events(orders(ORDER, ORDER)) == [
        ("InterchangeStart", []), ("Message", []), ("Message", []), ("InterchangeEnd", []),
    ]  # fmt: skip


def test_groups_have_starts_and_ends_and_unz_counts_them() -> None:
    text = interchange(group(message(ORDER), message(ORDER, reference="2")))
    assert [kind for kind, found in events(text) if not found] == [
        "InterchangeStart", "GroupStart", "Message", "Message", "GroupEnd", "InterchangeEnd",
    ]  # fmt: skip


def test_message_references_count_anew_in_every_group() -> None:
    text = interchange(group(message(ORDER)), group(message(ORDER), reference="8"))
    assert codes(text) == []


def test_a_message_knows_its_type_version_and_place() -> None:
    (found,) = messages("\n" + GOOD)
    assert (found.type, found.version, found.reference) == ("ORDERS", "D96A", "1")
    place = found.place(2)
    assert ("\n" + GOOD)[place.offset :].startswith("BGM")
    assert place.line == 2


def test_service_segments_release_their_characters_too() -> None:
    (start, *_) = walk(read((GOOD.replace("4012345500004", "A?+B").encode(),)))
    assert isinstance(start, InterchangeStart)
    assert start.unb[2] == ["A+B", "14"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (GOOD.replace("UNT+22+", "UNT+23+"), "message_count_mismatch"),
        (GOOD.replace("UNT+22+1", "UNT+22+2"), "message_control_mismatch"),
        (GOOD.replace("UNT+22+1'", ""), "message_trailer_missing"),
        (GOOD.replace("UNH+1+", "UNH++").replace("UNT+22+1", "UNT+22+"), "message_reference_missing"),
        (interchange(message(ORDER), message(ORDER)), "message_reference_duplicate"),
        (interchange(message(ORDER).replace("UNT+22+1'", ""), message(ORDER, reference="2")), "message_nested"),
        (interchange(group(message(ORDER))).replace("UNE+1", "UNE+2"), "group_count_mismatch"),
        (interchange(group(message(ORDER))).replace("UNE+1+7", "UNE+1+8"), "group_control_mismatch"),
        (interchange(group(message(ORDER))).replace("UNE+1+7'", ""), "group_trailer_missing"),
        (interchange(group(message(ORDER), reference="")), "group_reference_missing"),
        (interchange(group(message(ORDER)), group(message(ORDER))), "group_reference_duplicate"),
        (interchange(group()), "group_empty"),
        (interchange(group(message(ORDER), message(ORDER, "ORDCHG", reference="2"))), "group_type_mixed"),
        (GOOD.replace("UNZ+1", "UNZ+2"), "interchange_count_mismatch"),
        (GOOD.replace("UNZ+1+905", "UNZ+1+906"), "interchange_control_mismatch"),
        (GOOD[:-10], "interchange_truncated"),
        (GOOD.replace("UNH+1", "XYZ+1'UNH+1"), "interchange_content_invalid"),
        (interchange(message(ORDER), group(message(ORDER))), "interchange_mixed"),
        (message(ORDER), "interchange_header_missing"),
        (GOOD.replace("UNOC:3", "UNOC:9"), "syntax_unsupported"),
        (GOOD.replace("0830+905", "0830+").replace("+905'", "+'"), "interchange_reference_missing"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_an_envelope_has_its_code(text: str, code: str) -> None:
    assert code in codes(text)
    if code != "interchange_mixed":
        assert codes(text) == [code]


def test_a_missing_end_is_told_where_the_next_interchange_begins() -> None:
    found = events(GOOD[:-10] + GOOD)
    assert [code for _, faults in found for code in faults] == ["interchange_truncated"]
    assert [kind for kind, _ in found].count("InterchangeEnd") == 2


def test_strays_are_told_once_for_an_interchange() -> None:
    assert codes(GOOD.replace("UNZ", "ABC+1'" * 50 + "UNZ")) == ["interchange_content_invalid"]


def test_all_events_are_of_the_known_kinds() -> None:
    kinds = (InterchangeStart, GroupStart, Message, GroupEnd, InterchangeEnd, Stray)
    assert all(isinstance(event, kinds) for event in walk(read((b"x" + GOOD.encode(),))))
