"""Code lists that mappings translate with; an unknown code is an error or a default, never nothing."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping

from canonical.units import REC20_TO_X12, X12_TO_REC20
from hub.mapping.countries import ALIASES, COUNTRIES
from hub.mapping.refused import Refused


def _folded(name: str) -> str:
    """A name without case, accents, punctuation and double blanks: "Côte d'Ivoire" -> "COTE D IVOIRE"."""
    bare = unicodedata.normalize("NFKD", name)
    letters = (c if c.isalnum() else " " for c in bare if not unicodedata.combining(c))
    return " ".join("".join(letters).upper().split())


def _countries() -> dict[str, str]:
    names: dict[str, str] = {}
    for alpha2, alpha3, name in COUNTRIES:
        names.update({alpha2: alpha2, alpha3: alpha2, _folded(name): alpha2})
    names.update({_folded(name): alpha2 for name, alpha2 in ALIASES.items()})
    return names


_LISTS: Mapping[str, tuple[Mapping[str, str], Callable[[str], str]]] = {
    "x12_355_to_rec20": (X12_TO_REC20, str),
    "rec20_to_x12_355": (REC20_TO_X12, str),
    "country": (_countries(), _folded),
}
"""List name -> its codes, and how a key is made comparable."""

LISTS = frozenset(_LISTS)
"""The lists that ``$code`` knows."""

_ABSENT = object()


def code(name: object, key: object, default: object = _ABSENT) -> object:
    """``$code(list, key)`` or ``$code(list, key, default)``.

    An absent key gives the default, or nothing where none is given.

    Raises:
        Refused: ``code_unknown`` for a key that is not on the list, without default;
            ``mapping_failed`` for a list that does not exist.

    """
    known = _LISTS.get(name) if isinstance(name, str) else None
    if known is None:
        raise Refused("mapping_failed", f"expected one of the code lists {', '.join(_LISTS)}")
    if key is None:
        return None if default is _ABSENT else default
    codes, comparable = known
    found = None
    if isinstance(key, str):
        found = codes.get(key) or codes.get(comparable(key))
    if found is not None:
        return found
    if default is _ABSENT:
        raise Refused("code_unknown", f"expected a code of the list {name}", value=key)
    return default
