"""Syntax notes, each kind with what keeps and what breaks it."""

from __future__ import annotations

import pytest

from connectors.x12.engine.notes import Note, parse_note, violations


def broken(note: str, there: str) -> list[tuple[int, bool]]:
    """What `note` finds wrong; `there` is one letter for each element: x present, . absent."""
    return violations((parse_note(note),), (True, *(letter == "x" for letter in there)))


def test_a_note_is_a_letter_and_positions_of_two_digits() -> None:
    assert parse_note("L08040513") == Note("L", (8, 4, 5, 13))


@pytest.mark.parametrize(
    ("note", "there", "expected"),
    [
        ("P0203", "...", []), ("P0203", "xxx", []), ("P0203", "xx.", [(3, False)]),
        ("P0203", "x.x", [(2, False)]), ("P0203", "xx", [(3, False)]), ("P0203", "x", []),
        ("P010203", "x..", [(2, False), (3, False)]),
        ("R0203", "x..", [(2, False)]), ("R0203", "x", [(2, False)]), ("R0203", ".x.", []),
        ("E0203", ".xx", [(3, True)]), ("E0203", ".x.", []), ("E0203", "...", []),
        ("C0203", ".x.", [(3, False)]), ("C0203", "..x", []), ("C0203", ".xx", []),
        ("C020304", ".xx.", [(4, False)]), ("C0302", "..x", [(2, False)]),
        ("L020304", ".x..", [(3, False)]), ("L020304", ".x.x", []), ("L020304", "..xx", []),
    ],
)  # fmt: skip
def test_each_kind_of_note(note: str, there: str, expected: list[tuple[int, bool]]) -> None:
    assert broken(note, there) == expected
