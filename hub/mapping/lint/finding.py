"""One thing that is wrong, or looks wrong, in a mapping.

========  =======================================================================================
E1        a path that the source does not have: outbound the canonical document, inbound what its connector
          says that the system sends (the guides of EDI, the fields of an API), or a worked case shows
E2        a required canonical field that is never set, or not in every branch
E3        an output field that the vocabulary does not have
E4        an array of the vocabulary that is not wrapped in ``[ ]``: one element would come alone
E5        a single value fed from a path that repeats
E6        binary floating point on its way into a decimal
E7        a built-in that is not repeatable or not safe
E8        a function that does not exist, or with the wrong number of arguments
E9        what one of the two parsers does not accept
E10       a regular expression that the engine cannot run (look-around, back-references)
E11       a ``$fail`` whose code or detail is computed, and so could carry data
E12       a code list or date picture that does not exist
W1        a code list searched by an array filter: 23 to 60 times slower than ``$code`` or ``$lookup``
W2        a path compared with a number, where sources have text
W3        ``$toMillis``, ``$fromMillis``, whose failures vanish; ``$parse_date`` refuses
W4        wildcards and recursion, whose cost depends on the document
W5        ``&`` with a path that may be absent: it then silently counts as ""
W6        a path that no worked case has (inbound), of a system that nobody lists the fields of
========  =======================================================================================
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding; `place` is ``file:line:column``."""

    rule: str
    place: str
    message: str

    @property
    def is_error(self) -> bool:
        """It must be repaired; warnings may stay."""
        return self.rule.startswith("E")


@dataclass(frozen=True, slots=True)
class Spotted:
    """A finding before its place is worked out: `at` is an offset in the text."""

    rule: str
    at: int
    message: str


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`` (did you mean x?)`` or nothing."""
    close = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f" (did you mean {close[0]}?)" if close else ""
