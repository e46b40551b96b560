"""What a system says in an answer, fit to be kept and shown: its own wording, without the values.

An error message of a business system quotes what it is about: numbers, names, addresses, amounts.
Which part of it is a value cannot be told from its place, so nothing is kept by its place: a word
stays if it is known to be part of such wording (``words.txt``), and everything else (any digit,
any name, any word of another language) becomes `MASK`.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

MASK = "…"
_LONGEST = 300
_MOST_READ = 4000
"""Characters of a message that are looked at."""
_QUOTES = "'\"`\u2018\u2019\u201a\u201c\u201d\u201e\u00ab\u00bb\u2039\u203a"
_APOSTROPHES = "'\u2019"
_TOKEN = re.compile(rf"(?:[^\s()<>\[\]{{}}=,;:|{_QUOTES}]|(?<=\w)[{_APOSTROPHES}](?=[a-z]))+")
_PARTS = re.compile(rf"[-/.&{_APOSTROPHES}]")
_RUN = re.compile(rf"{MASK}(?:\s+{MASK})+")


def masked(message: str, longest: int = _LONGEST) -> str:
    """Return a message with every word masked that is not known as wording; at most so long."""
    plain = " ".join(message[:_MOST_READ].split())
    kept = _RUN.sub(MASK, _TOKEN.sub(_known, plain))
    return kept if len(kept) <= longest else kept[: longest - 1] + MASK


def _known(token: re.Match[str]) -> str:
    text = token[0]
    end = text.rstrip(".!?")
    words = [part for part in _PARTS.split(end) if part]
    return text if all(word.casefold() in _words() for word in words) else MASK + text[len(end) :]


@cache
def _words() -> frozenset[str]:
    return frozenset((Path(__file__).parent / "words.txt").read_text("ascii").split())
