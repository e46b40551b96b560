"""Parameters that take one of many words: a word that is misspelt is refused, not found nowhere."""

from __future__ import annotations

from collections.abc import Callable, Collection


def word_of(words: Collection[str]) -> Callable[[str], str]:
    """Return a validator that lets only these words through; it raises ValueError."""

    def check(given: str) -> str:
        if given not in words:
            raise ValueError("expected a word that is known")
        return given

    return check
