"""What is wrong with a set that keeps its guide: totals, check digits, levels, lines.

The third level of checks. A set that fails here is well-formed; its 997 accepts it, and an 824
says what the application found (X12 element 647). Codes:

=====================  ==========================================================================
``check_digit_invalid``  an SSCC-18 or a GTIN whose last digit does not follow from the others
``hl_parent_unknown``  HL02 names no level that came before
``hl_number_repeated`` HL01 occurs twice
``line_repeated``      the same line number twice
``line_count_wrong``   CTT01 is not the number of lines (of levels in an 856)
``hash_total_wrong``   CTT02 is not the sum of the lines' quantities
``total_wrong``        TDS01 is not what lines, charges, allowances and taxes come to
=====================  ==========================================================================
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

from canonical.gs1 import has_check_digit, is_sscc, with_check_digit
from connectors.x12.engine.faults import Fault

Segments = Sequence[Sequence[str]]

_GTINS = {"UP": 12, "EN": 13, "UK": 14, "UA": 12}
"""Product id qualifiers (element 235) of GS1 numbers -> how many digits they have."""

_SSCC = 18


class _Lines(NamedTuple):
    """Where a set keeps its lines: the segment, its line number, its quantity, its first pair."""

    tag: str
    number: int
    quantity: int
    pairs: int
    counted: str
    """The tag whose occurrences CTT01 counts."""


_SETS = {
    "850": _Lines("PO1", 1, 2, 6, "PO1"),
    "855": _Lines("PO1", 1, 2, 6, "PO1"),
    "860": _Lines("POC", 1, 3, 8, "POC"),
    "865": _Lines("POC", 1, 3, 8, "POC"),
    "810": _Lines("IT1", 1, 2, 6, "IT1"),
    "846": _Lines("LIN", 1, 0, 2, "LIN"),
    "852": _Lines("LIN", 1, 0, 2, "LIN"),
    "832": _Lines("LIN", 1, 0, 2, "LIN"),
    "856": _Lines("LIN", 0, 0, 2, "HL"),
}
_REPEATS = frozenset({"860", "865", "846", "852"})
"""Sets that may say several things of one line."""
_QUANTITY = {"856": ("SN1", 2)}
"""Where the quantities stand that CTT02 adds up, where not in the line's own segment."""


def application_faults(set_id: str, segments: Segments) -> list[Fault]:
    """Everything that is wrong with a set beyond its guide, in the order of the places.

    Args:
        set_id: ST01.
        segments: the whole set, from ST on; it keeps its guide.

    """
    found = [*_levels(segments), *_check_digits(set_id, segments)]
    lines = _SETS.get(set_id)
    if lines is not None:
        found += [*_repeated(set_id, lines, segments), *_counts(set_id, lines, segments)]
    if set_id == "810":
        found += _total(segments)
    return sorted(found, key=lambda fault: (fault.position, fault.element))


def _fault(code: str, segments: Segments, index: int, element: int, computed: object = "") -> Fault:
    tag = segments[index][0]
    occurrence = sum(segment[0] == tag for segment in segments[: index + 1])
    place = index + 1
    return Fault(code, tag, place, occurrence=occurrence, element=element, computed=str(computed))


def _at(segment: Sequence[str], position: int) -> str:
    return segment[position] if 0 < position < len(segment) else ""


def _number(text: str) -> Decimal | None:
    try:
        value = Decimal(text) if text else None
    except InvalidOperation:
        return None
    return value if value is None or value.is_finite() else None


def _levels(segments: Segments) -> Iterator[Fault]:
    known: set[str] = set()
    for index, segment in enumerate(segments):
        if segment[0] != "HL":
            continue
        number, parent = _at(segment, 1), _at(segment, 2)
        if parent and parent not in known:
            yield _fault("hl_parent_unknown", segments, index, 2)
        if number in known:
            yield _fault("hl_number_repeated", segments, index, 1)
        known.add(number)


def _check_digits(set_id: str, segments: Segments) -> Iterator[Fault]:
    lines = _SETS.get(set_id)
    for index, segment in enumerate(segments):
        if segment[0] == "MAN":
            for at in (1, 4):
                mark = _at(segment, at + 1)
                if _at(segment, at) == "GM" and not _is_sscc(mark):
                    right = with_check_digit(_bare(mark), _SSCC)
                    yield _fault("check_digit_invalid", segments, index, at + 1, right)
        elif lines is not None and segment[0] == lines.tag:
            for at in range(lines.pairs, len(segment) - 1, 2):
                digits = _GTINS.get(segment[at])
                if digits is not None and not _is_gtin(segment[at + 1], digits):
                    right = with_check_digit(segment[at + 1], digits)
                    yield _fault("check_digit_invalid", segments, index, at + 1, right)


def _is_sscc(mark: str) -> bool:
    return is_sscc(_bare(mark))


def _bare(mark: str) -> str:
    """A mark without the application identifier that some write in front."""
    return mark.removeprefix("00") if len(mark) == _SSCC + 2 else mark


def _is_gtin(value: str, digits: int) -> bool:
    """A shorter number is its sender's own; what is a GTIN by its length must be one."""
    return len(value) != digits or has_check_digit(value)


def _repeated(set_id: str, lines: _Lines, segments: Segments) -> Iterator[Fault]:
    if set_id in _REPEATS or not lines.number:
        return
    known: set[str] = set()
    for index, segment in enumerate(segments):
        if segment[0] == lines.tag:
            number = _at(segment, lines.number)
            if number and number in known:
                yield _fault("line_repeated", segments, index, lines.number)
            known.add(number)


def _counts(set_id: str, lines: _Lines, segments: Segments) -> Iterator[Fault]:
    index = next((n for n, segment in enumerate(segments) if segment[0] == "CTT"), None)
    if index is None:
        return
    counted = sum(segment[0] == lines.counted for segment in segments)
    if _number(_at(segments[index], 1)) != counted:
        yield _fault("line_count_wrong", segments, index, 1, counted)
    tag, position = _QUANTITY.get(set_id, (lines.tag, lines.quantity))
    said = _number(_at(segments[index], 2))
    if said is None or not position:
        return
    quantities = [_number(_at(segment, position)) for segment in segments if segment[0] == tag]
    total = sum((each for each in quantities if each), Decimal(0))
    if total != said:
        yield _fault("hash_total_wrong", segments, index, 2, total)


_EACH = frozenset({"", "PE", "CT", "PK", "TE", "NT", "UM", "QT", "CA"})
"""Bases of unit price (element 639) by which price times quantity is the line's amount."""
_MADE = frozenset({"C", "A"})
"""SAC01: a charge or an allowance that the total holds; others (N, P, Q, R) tell only."""


def _total(segments: Segments) -> list[Fault]:
    """TDS01 against lines, charges, allowances and taxes; not where a price is by the hundred."""
    index = next((n for n, segment in enumerate(segments) if segment[0] == "TDS"), None)
    said = None if index is None else _number(_at(segments[index], 1))
    if index is None or said is None:
        return []
    total, lines = Decimal(0), 0
    for segment in segments:
        amount = _amount(segment)
        if amount is None:
            return []
        total += amount
        lines += segment[0] == "IT1"
    # Every line may have been rounded by its sender: half a cent each.
    if abs(total - said / 100) > Decimal("0.005") * max(1, lines):
        return [_fault("total_wrong", segments, index, 1, round(total * 100))]
    return []


def _amount(segment: Sequence[str]) -> Decimal | None:
    """What a segment adds to an invoice's total; None: it cannot be said."""
    tag = segment[0]
    if tag == "IT1":
        quantity, price = _number(_at(segment, 2)), _number(_at(segment, 4))
        known = quantity is not None and price is not None and _at(segment, 5) in _EACH
        return quantity * price if known and quantity is not None and price is not None else None
    if tag == "SAC" and _at(segment, 1) in _MADE:
        cents = _number(_at(segment, 5))
        if cents is None:
            return None
        return (cents if segment[1] == "C" else -cents) / 100
    if tag == "TXI":
        return _number(_at(segment, 2))
    return Decimal(0)
