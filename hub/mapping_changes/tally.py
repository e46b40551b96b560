"""Counts what comes out differently under other mappings, by partner and field. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from hub.mapping.difference import places_that_differ
from hub.workers.jobs import Failed, Normalized, NormalizeResult

_MOST_EXAMPLES = 3

Key = tuple[int, str]
"""Position in the receipt, entity: what is compared with what."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One kind of change."""

    partner: str
    entity: str
    what: str
    """``changed``, ``failure_gained``, ``failure_lost``, ``failure_other``, ``gained``, ``lost``."""
    where: str
    """The canonical field, without positions; of failures the code."""


@dataclass(slots=True)
class Seen:
    """How often, and where for instance."""

    documents: int = 0
    examples: list[dict[str, str]] = field(default_factory=list)


class Tally:
    """Takes results of the same receipts under two sets of mappings.

    Args:
        values: whether examples show the values before and after.

    """

    def __init__(self, *, values: bool = False) -> None:
        self._values = values
        self._found: dict[Difference, Seen] = {}
        self.receipts = 0
        self.documents = 0
        self.different = 0
        """Documents that are not the same."""

    def add(
        self, receipt: str, partner: str, before: NormalizeResult, after: NormalizeResult
    ) -> None:
        """Compare what came of one receipt."""
        self.receipts += 1
        old, new = _by_key(before), _by_key(after)
        for key in sorted(old.keys() | new.keys()):
            self.documents += 1
            found = list(self._compared(partner, key, old.get(key), new.get(key)))
            self.different += bool(found)
            seen_here = set()
            for difference, example in found:
                entry = self._found.setdefault(difference, Seen())
                # A field that differs on ten lines of an order is one document that changed.
                entry.documents += difference not in seen_here
                seen_here.add(difference)
                if len(entry.examples) < _MOST_EXAMPLES:
                    entry.examples.append({"receipt": receipt, **example})

    def rows(self) -> list[dict[str, Any]]:
        """What was found, failures first, then what changes most."""
        ordered = sorted(
            self._found.items(),
            key=lambda each: (each[0].what == "changed", -each[1].documents, str(each[0])),
        )
        return [
            {
                "partner": difference.partner,
                "entity": difference.entity,
                "what": difference.what,
                "where": difference.where,
                "documents": seen.documents,
                "examples": seen.examples,
            }
            for difference, seen in ordered
        ]

    def _compared(
        self,
        partner: str,
        key: Key,
        old: Normalized | Failed | None,
        new: Normalized | Failed | None,
    ) -> list[tuple[Difference, dict[str, str]]]:
        entity = key[1]
        if isinstance(old, Normalized) and isinstance(new, Normalized):
            return self._changed(partner, old, new)
        what, where = _outcome(old, new)
        if not what:
            return []
        either = old or new
        place = either.place if either is not None else ""
        return [(Difference(partner, entity, what, where), {"place": place})]

    def _changed(
        self, partner: str, old: Normalized, new: Normalized
    ) -> list[tuple[Difference, dict[str, str]]]:
        if old.canonical_json == new.canonical_json:
            return []
        found = []
        pair = orjson.loads(old.canonical_json), orjson.loads(new.canonical_json)
        for place, before, after in places_that_differ(*pair):
            example = {"number": old.number or "", "place": place}
            if self._values:
                example |= {"before": before, "after": after}
            difference = Difference(partner, old.entity, "changed", _field(place))
            found.append((difference, example))
        return found


def _by_key(result: NormalizeResult) -> Mapping[Key, Normalized | Failed]:
    return {
        (each.position, each.entity or ""): each
        for each in result.documents
        if isinstance(each, Normalized | Failed)
    }


def _outcome(old: Normalized | Failed | None, new: Normalized | Failed | None) -> tuple[str, str]:
    """What it is that differs, and its code; "" where both fail alike."""
    if isinstance(old, Failed) and isinstance(new, Failed):
        same = (old.error.code, old.error.where) == (new.error.code, new.error.where)
        return ("", "") if same else ("failure_other", f"{old.error.code} -> {new.error.code}")
    if isinstance(new, Failed):
        return "failure_gained", new.error.code
    if isinstance(old, Failed):
        return "failure_lost", old.error.code
    return ("gained", "document") if old is None else ("lost", "document")


def _field(place: str) -> str:
    return ".".join(part.partition("[")[0] for part in place.split("."))
