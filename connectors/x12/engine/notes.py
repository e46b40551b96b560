"""Syntax notes: which elements of a segment require or exclude each other (X12.6, 3.8.3.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast

Kind = Literal["P", "R", "E", "C", "L"]


@dataclass(frozen=True, slots=True)
class Note:
    """One note, such as C0302.

    - P, paired: if one is present, all are.
    - R, required: at least one is present.
    - E, exclusion: at most one is present.
    - C, conditional: if the first is present, so are all the others.
    - L, list conditional: if the first is present, so is at least one of the others.
    """

    kind: Kind
    positions: tuple[int, ...]


def parse_note(text: str) -> Note:
    """``"C0302"`` -> the note; positions are two digits each."""
    positions = tuple(int(text[at : at + 2]) for at in range(1, len(text), 2))
    return Note(cast("Kind", text[0]), positions)


def violations(notes: tuple[Note, ...], present: tuple[bool, ...]) -> list[tuple[int, bool]]:
    """The elements that violate `notes`: (position, whether it is there but must not be).

    Args:
        notes: the segment's notes.
        present: for every position whether it has a value; position 0 is the tag.

    """
    found: list[tuple[int, bool]] = []
    count = len(present)
    for note in notes:
        there = [position for position in note.positions if position < count and present[position]]
        if note.kind == "R":
            if not there:
                found.append((note.positions[0], False))
        elif there:
            found.extend(_violated(note, there))
    return found


def _violated(note: Note, there: list[int]) -> list[tuple[int, bool]]:
    """What a note finds wrong, at least one of its elements being there."""
    first, *others = note.positions
    if note.kind == "E":
        return [(position, True) for position in there[1:]]
    if note.kind != "P" and first != there[0]:
        return []
    if note.kind == "L":
        return [] if len(there) > 1 else [(others[0], False)]
    return [(position, False) for position in note.positions if position not in there]
