"""The functions that mappings call, the same on both engines.

Beside the decimals, dates and code lists of the neighbouring modules: ``$fail`` refuses a document
in the mapping's own words, ``$our_reference`` names an order of ours as `canonical.identity` does, and the built-ins that are unsafe or not repeatable are replaced:
``$eval``, ``$now``, ``$millis`` and ``$random`` raise (facts come in as bindings, so that a
document maps the same way when it is replayed), ``$pad`` is capped.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from canonical.identity import BusinessKey, normalise, reference_for
from hub.mapping import dates, decimals
from hub.mapping.codes import code
from hub.mapping.refused import Refused

_CODE = re.compile(r"[a-z][a-z0-9_]{1,47}", re.ASCII)
_MOST_PADDING = 4096
_MOST_WORDS = 200


@dataclass(frozen=True, slots=True)
class HostFunction:
    """One function and how many arguments it takes."""

    call: Callable[..., object]
    least: int
    most: int
    usage: str
    """How it is written in a mapping."""

    def checked(self, arguments: tuple[object, ...]) -> object:
        """Call it.

        Raises:
            Refused: it refuses its arguments, or there are too few or too many of them.

        """
        if self.least <= len(arguments) <= self.most:
            return self.call(*arguments)
        raise Refused("mapping_failed", f"wrong number of arguments: {self.usage}")


def fail(word: object, where: object, detail: object) -> object:
    """``$fail(code, where, detail)``: refuse the document in the mapping's own words.

    `word` must be a snake_case word and, like `detail`, a literal: neither may carry data.
    """
    if not isinstance(word, str) or not _CODE.fullmatch(word):
        raise Refused("mapping_failed", "expected a snake_case word as the code of $fail")
    place = where[:_MOST_WORDS] if isinstance(where, str) else ""
    reason = detail[:_MOST_WORDS] if isinstance(detail, str) else ""
    raise Refused(word, reason, where=place)


def our_reference(partner: object, number: object, release: object = None) -> str | None:
    """``$our_reference(partner, number[, release])``: our reference of that partner's order.

    Suppliers and warehouses name a purchase order by its number in the ERP; everything else of it in
    the hub is tied together by our reference, which follows from the order's key alone.
    """
    if partner is None or number is None:
        return None
    parts = partner, number, "" if release is None else release
    if not all(isinstance(part, str) for part in parts):
        raise Refused("mapping_failed", "$our_reference takes texts")
    known, *rest = map(str, parts)
    return reference_for(BusinessKey("order", known, *map(normalise, rest)))


def pad(text: object, width: object, filler: object = None) -> str | None:
    """``$pad(text, width[, char])`` as JSONata defines it, up to 4,096 characters.

    A negative width pads on the left.
    """
    if text is None:
        return None
    if not isinstance(text, str) or type(width) is not int or abs(width) > _MOST_PADDING:
        raise Refused("mapping_failed", f"$pad takes a text and a width up to {_MOST_PADDING}")
    missing = abs(width) - len(text)
    fill = filler if isinstance(filler, str) and filler else " "
    if missing <= 0:
        return text
    padding = (fill * missing)[:missing]
    return text + padding if width > 0 else padding + text


def _refuse(name: str, instead: str) -> Callable[..., object]:
    def refuse(*_arguments: object) -> object:
        raise Refused("mapping_failed", f"${name} is not available: {instead}")

    return refuse


FUNCTIONS: Mapping[str, HostFunction] = {
    "dec": HostFunction(decimals.dec, 1, 1, "$dec(text)"),
    "dec_add": HostFunction(decimals.add, 2, 2, "$dec_add(a, b)"),
    "dec_sub": HostFunction(decimals.sub, 2, 2, "$dec_sub(a, b)"),
    "dec_mul": HostFunction(decimals.mul, 2, 2, "$dec_mul(a, b)"),
    "dec_div": HostFunction(decimals.div, 3, 3, "$dec_div(a, b, scale)"),
    "dec_sum": HostFunction(decimals.total, 1, 1, "$dec_sum(array)"),
    "dec_round": HostFunction(decimals.rounded, 2, 2, "$dec_round(a, scale)"),
    "dec_cmp": HostFunction(decimals.compare, 2, 2, "$dec_cmp(a, b)"),
    "dec_implied": HostFunction(decimals.implied, 2, 2, "$dec_implied(text, decimals)"),
    "parse_date": HostFunction(dates.parse_date, 2, 2, "$parse_date(text, picture)"),
    "code": HostFunction(code, 2, 3, "$code(list, key[, default])"),
    "our_reference": HostFunction(
        our_reference, 2, 3, "$our_reference(partner, number[, release])"
    ),
    "fail": HostFunction(fail, 3, 3, "$fail(code, where, detail)"),
}
"""What mappings may call beside JSONata's own functions."""

_REPEATABLE = "pass the fact as a binding, so that a replay gives the same document"
OVERRIDES: Mapping[str, HostFunction] = {
    "eval": HostFunction(_refuse("eval", "a mapping runs only what stands in its file"), 0, 9, ""),
    "now": HostFunction(_refuse("now", _REPEATABLE), 0, 9, ""),
    "millis": HostFunction(_refuse("millis", _REPEATABLE), 0, 9, ""),
    "random": HostFunction(_refuse("random", _REPEATABLE), 0, 9, ""),
    "pad": HostFunction(pad, 2, 3, "$pad(text, width[, char])"),
}
"""JSONata's own functions that we replace."""
