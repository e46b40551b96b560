"""Hierarchical levels as a tree, and the checks that look beyond the guide."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canonical.errors import Rejected
from connectors.base import Numbers
from connectors.x12.codec import X12Codec
from connectors.x12.config import X12Config
from connectors.x12.engine.application import application_faults
from connectors.x12.engine.checker import check
from connectors.x12.engine.delimiters import Delimiters
from connectors.x12.engine.guide import load_guide
from connectors.x12.engine.levels import flatten, nest
from tests.support.x12_text import ORDER, transaction_set

NUMBERS = Numbers(1, 1, datetime(2026, 11, 20, tzinfo=UTC))
ADVICE = """
BSN*00*SH-1*20261124*1200*0001
HL*1**S
TD1*CTN*2
HL*2*1*O
PRF*PO-1
HL*3*2*P
MAN*GM*000000000000000000
HL*4*3*I
LIN*1*UP*036000291452
SN1*1*3*EA
HL*5*2*P
HL*6*5*I
LIN*2*VN*1900-S
SN1*2*4*EA
CTT*6*7
"""
INVOICE = """
BIG*20261124*SI-1
IT1*1*3*EA*10.10**VN*A
IT1*2*1*EA*4.335**VN*B
TDS*3744
TXI*TX*2.50
SAC*C*D240***100
SAC*A*C310***70
CTT*2*4
"""


def segments(identifier: str, text: str) -> list[list[str]]:
    return [line.split("*") for line in transaction_set(identifier, text)]


def found(identifier: str, text: str) -> list[str]:
    read = segments(identifier, text)
    guide = load_guide(identifier, "004010")
    assert guide is not None
    assert check(guide, read, Delimiters()).faults == []
    return [f"{fault.code} {fault.where}" for fault in application_faults(identifier, read)]


def ids(levels: Any) -> Any:
    return {level["HL"]["HL01"]: ids(level.get("HL_loop", [])) for level in levels}


def advice() -> dict[str, Any]:
    guide = load_guide("856", "004010")
    assert guide is not None
    areas = check(guide, segments("856", ADVICE), Delimiters()).areas
    areas["detail"]["HL_loop"] = nest(areas["detail"]["HL_loop"])
    return areas


def test_an_advice_is_a_tree_of_shipment_order_pack_and_item() -> None:
    body = advice()
    assert ids(body["detail"]["HL_loop"]) == {"1": {"2": {"3": {"4": {}}, "5": {"6": {}}}}}
    order = body["detail"]["HL_loop"][0]["HL_loop"][0]
    assert order["PRF"] == {"PRF01": "PO-1"}
    assert order["HL_loop"][1]["HL_loop"][0]["LIN"]["LIN03"] == "1900-S"


def test_a_tree_is_written_as_the_list_that_it_was_read_from() -> None:
    codec = X12Codec(X12Config(our_id="CROSSDOCK", partner_id="ACMEDIST"))
    text = codec.encode("856", {"transaction_set": "856", **advice()}, NUMBERS).decode()
    assert text.split("~")[3:-4] == ADVICE.strip().split("\n")


@given(st.lists(st.integers(0, 30), max_size=30))
def test_every_list_whose_parents_come_first_and_whose_children_follow_is_kept(
    choices: list[int],
) -> None:
    """Levels in pre-order, each below one of the levels that are still open."""
    open_: list[str] = []
    levels = []
    for number, choice in enumerate(choices, 1):
        del open_[choice % (len(open_) + 1) :]
        segment = {"HL01": str(number), **({"HL02": open_[-1]} if open_ else {})}
        levels.append({"HL": segment})
        open_.append(str(number))
    copies = [{"HL": dict(level["HL"])} for level in levels]
    assert list(flatten(nest(copies))) == levels


def test_a_level_below_nothing_known_stands_at_the_top_and_is_named() -> None:
    broken = ADVICE.replace("HL*3*2*P", "HL*3*9*P").replace("HL*6*5*I", "HL*1*5*I")
    assert found("856", broken) == [
        "hl_parent_unknown HL[3].HL02", "hl_number_repeated HL[6].HL01",
    ]  # fmt: skip
    levels = [{"HL": {"HL01": "1", "HL02": "1"}}, {"HL": {"HL01": "2", "HL02": "7"}}]
    assert ids(nest(levels)) == {"1": {}, "2": {}}


@pytest.mark.parametrize(
    ("identifier", "text", "expected"),
    [
        ("850", ORDER, []),
        ("856", ADVICE, []),
        ("810", INVOICE, []),
        ("850", ORDER.replace("CTT*3", "CTT*3*15"), []),
        ("850", ORDER.replace("CTT*3", "CTT*3*14"), ["hash_total_wrong CTT[1].CTT02"]),
        ("850", ORDER.replace("CTT*3", "CTT*2"), ["line_count_wrong CTT[1].CTT01"]),
        ("850", ORDER.replace("PO1*2*", "PO1*1*"), ["line_repeated PO1[2].PO101"]),
        ("850", ORDER.replace("VN*1900-S", "UP*036000291453"), ["check_digit_invalid PO1[2].PO107"]),
        ("850", ORDER.replace("VN*1900-S", "UP*12345"), []),
        ("856", ADVICE.replace("GM*000000000000000000", "GM*000000000000000001"), ["check_digit_invalid MAN[1].MAN02"]),
        ("856", ADVICE.replace("GM*000000000000000000", "GM*00000000000000000000"), []),
        ("856", ADVICE.replace("036000291452", "036000291451"), ["check_digit_invalid LIN[1].LIN03"]),
        ("856", ADVICE.replace("CTT*6*7", "CTT*5*7"), ["line_count_wrong CTT[1].CTT01"]),
        ("856", ADVICE.replace("CTT*6*7", "CTT*6*8"), ["hash_total_wrong CTT[1].CTT02"]),
        ("810", INVOICE.replace("TDS*3744", "TDS*3717"), ["total_wrong TDS[1].TDS01"]),
        ("810", INVOICE.replace("IT1*2*1*EA*4.335*", "IT1*2*1*EA*4.335*HP"), []),
        ("997", "AK1*PO*1\nAK9*A*1*1*1", []),
    ],
)  # fmt: skip
def test_what_a_guide_cannot_see_is_found_with_its_place(
    identifier: str, text: str, expected: list[str]
) -> None:
    assert found(identifier, text) == expected


def test_what_does_not_balance_is_not_sent_unless_the_connection_says_so() -> None:
    body: dict[str, Any] = {"transaction_set": "856", **advice()}
    body["summary"]["CTT"]["CTT01"] = "9"
    options = {"our_id": "CROSSDOCK", "partner_id": "ACMEDIST"}
    with pytest.raises(Rejected, match="line_count_wrong"):
        X12Codec(X12Config.model_validate(options)).encode("856", body, NUMBERS)
    lenient = X12Config.model_validate({**options, "outbound_checks": "guide"})
    assert b"CTT*9*7" in X12Codec(lenient).encode("856", body, NUMBERS)
