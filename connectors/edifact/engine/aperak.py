"""What an application has against a message, as an APERAK (UN/EDIFACT D96A and D01B).

Values of the refused message are never repeated: places and plain words only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from connectors.edifact.engine.contrl import plain
from connectors.edifact.engine.faults import Fault

Json = dict[str, Any]

ERRORS = {
    "date_impossible": "DATE",
    "gtin_check_digit": "GTIN",
    "gln_check_digit": "GLN",
    "sscc_check_digit": "SSCC",
    "sscc_duplicate": "SSCCDUP",
    "line_number_duplicate": "LINEDUP",
    "package_number_duplicate": "PACKDUP",
    "package_parent_unknown": "PACKLOST",
    "control_total_mismatch": "CNT",
    "amount_mismatch": "MOA",
}
"""Our word -> what we write as application error code (9321), which partners agree on (ZZZ)."""

_TEXT = 70
_PIECES = 5


def refusal(
    interchange: str, message: str, document: str, faults: Sequence[Fault], sides: tuple[str, str]
) -> Json:
    """The APERAK for one refused message, as a source document's body.

    Args:
        interchange: its interchange control reference.
        message: its message reference number.
        document: the number in its BGM; "" where it has none.
        faults: what was found, at least one.
        sides: our id and the partner's.

    """
    references = [{"RFF": {"RFF0101": "ACW", "RFF0102": _fitted(message, 35)}}]
    if document:
        references.append({"RFF": {"RFF0101": "AGO", "RFF0102": _fitted(document, 35)}})
    us, partner = sides
    return {
        "message": "APERAK",
        "heading": {
            "BGM": {
                "BGM0101": "313",
                "BGM0201": _fitted(f"{interchange}-{message}", 35),
                "BGM0301": "27",
                "BGM0401": "RE",
            },
            "RFF_group": references,
            "NAD_group": [
                {"NAD": {"NAD0101": "MS", "NAD0201": _fitted(us, 17)}},
                {"NAD": {"NAD0101": "MR", "NAD0201": _fitted(partner, 17)}},
            ],
        },
        "detail": {"ERC_group": [_error(fault) for fault in faults]},
    }


def _error(fault: Fault) -> Json:
    text = f"{fault.where} at segment {fault.position}: {fault.detail}"
    pieces = [text[at : at + _TEXT] for at in range(0, len(text), _TEXT)][:_PIECES]
    ftx = {"FTX0101": "AAO"}
    ftx.update({f"FTX04{at:02d}": piece.strip() for at, piece in enumerate(pieces, 1)})
    return {
        "ERC": {"ERC0101": ERRORS[fault.code], "ERC0103": "ZZZ"},
        "FTX": [ftx],
    }


def _fitted(text: str, most: int) -> str:
    """A number of the sender's made to fit the element that repeats it."""
    return plain(text, most) or "0"
