"""Escaped service characters inside of segments, and what they stand for.

A released character (``?+``) must not separate, so the reader puts a stand-in in its place before
it splits anything: one of five Unicode noncharacters, which no data may carry. `unescaped` puts
the characters themselves back once everything is split.
"""

from __future__ import annotations

import re

from canonical.errors import Rejected
from connectors.edifact.engine.delimiters import Delimiters

COMPONENT, ELEMENT, SEGMENT, REPETITION, RELEASE = "\ufdd0\ufdd1\ufdd2\ufdd3\ufdd4"
_ANY = re.compile("[\ufdd0-\ufdd6]")
"""Those, and the two of `iso2022`."""


def escape(text: str, marks: Delimiters) -> str:
    """Put stand-ins for all released characters; a release before anything else is dropped.

    Pairs are taken from the left (ISO 9735-1, 5.2): a run of release characters pairs up by itself,
    so that replacing pair by pair gives the same.
    """
    release = marks.release
    if release is None or release not in text:
        return text
    text = text.replace(release * 2, RELEASE)
    text = text.replace(release + marks.element, ELEMENT)
    text = text.replace(release + marks.component, COMPONENT)
    text = text.replace(release + marks.segment, SEGMENT)
    if marks.repetition:
        text = text.replace(release + marks.repetition, REPETITION)
    return text.replace(release, "")


def table(marks: Delimiters) -> dict[int, str]:
    """Stand-in -> the character, for `str.translate`."""
    return {
        ord(COMPONENT): marks.component,
        ord(ELEMENT): marks.element,
        ord(SEGMENT): marks.segment,
        ord(REPETITION): marks.repetition or "",
        ord(RELEASE): marks.release or "",
    }


def parts(text: str) -> list[str]:
    """Pieces between stand-ins at even places, stand-ins at odd ones."""
    return re.split("([\ufdd0-\ufdd4])", text)


def has_any(text: str) -> bool:
    """Whether a stand-in stands in `text`."""
    return _ANY.search(text) is not None


def protected(text: str, marks: Delimiters) -> str:
    """Put stand-ins for the service characters that stand in a value as such."""
    text = text.replace(marks.component, COMPONENT).replace(marks.element, ELEMENT)
    text = text.replace(marks.segment, SEGMENT)
    if marks.repetition:
        text = text.replace(marks.repetition, REPETITION)
    return text.replace(marks.release, RELEASE) if marks.release else text


def released(text: str, marks: Delimiters) -> str:
    """Stand-ins -> the characters, each behind a release character: the way back of `escape`.

    Raises:
        Rejected: ``value_holds_delimiter`` where there is no release character.

    """
    if not has_any(text):
        return text
    if marks.release is None:
        raise Rejected("value_holds_delimiter", "", "holds a delimiter, and nothing releases it")
    escapes = {mark: marks.release + character for mark, character in table(marks).items()}
    return text.translate(escapes)
