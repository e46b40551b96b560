"""What changed between two versions of a document: its fields, and blocks matched by identity.

Lines are the same if they have the same number and items; else the same number; else the same
items. Parties are the same in the same role. The order of lines is no difference.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.paper import Block, Field, Paper

Key = Callable[[Block], object]


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that differs."""

    where: str
    """``Line 3``, ``Buyer``; "" for the document's own fields."""
    what: str
    """``changed``, ``added`` or ``removed``."""
    label: str
    before: str
    after: str

    def as_json(self) -> dict[str, Any]:
        """The difference as JSON."""
        return {
            "where": self.where,
            "what": self.what,
            "label": self.label,
            "before": self.before,
            "after": self.after,
        }


def compared(before: Sequence[Paper], after: Sequence[Paper]) -> list[Difference]:
    """Compare the documents of two files: those of one kind and number, else in their order."""
    found: list[Difference] = []
    rest = list(after)
    pairs: list[tuple[Paper, Paper]] = []
    alone = []
    for old in before:
        new = next((p for p in rest if (p.type, p.number) == (old.type, old.number)), None)
        if new is None:
            alone.append(old)
        else:
            rest.remove(new)
            pairs.append((old, new))
    for old in alone:
        new = next((p for p in rest if p.type == old.type), None)
        if new is None:
            found.append(Difference("", "removed", old.name, old.number, ""))
        else:
            rest.remove(new)
            pairs.append((old, new))
            found.append(Difference("", "changed", "Number", old.number, new.number))
    many = len(pairs) > 1
    for old, new in pairs:
        found += _paper(old, new, f"{old.type} {old.number}" if many else "")
    return found + [Difference("", "added", each.name, "", each.number) for each in rest]


def _paper(old: Paper, new: Paper, where: str) -> Iterator[Difference]:
    yield from _fields(old.fields, new.fields, where)
    yield from _blocks(old.blocks, new.blocks, where)


def _fields(old: Sequence[Field], new: Sequence[Field], where: str) -> Iterator[Difference]:
    """Compare fields by label; of several with one label, those that both have say nothing."""
    for label in dict.fromkeys(each.label for each in (*old, *new)):
        was = Counter(each.value for each in old if each.label == label)
        now = Counter(each.value for each in new if each.label == label)
        gone, come = list((was - now).elements()), list((now - was).elements())
        for before, after in zip(gone, come, strict=False):
            yield Difference(where, "changed", label, before, after)
        for value in gone[len(come) :]:
            yield Difference(where, "removed", label, value, "")
        for value in come[len(gone) :]:
            yield Difference(where, "added", label, "", value)


def _blocks(old: Sequence[Block], new: Sequence[Block], where: str) -> Iterator[Difference]:
    for kind in dict.fromkeys(each.kind for each in (*old, *new)):
        pairs, gone, come = _matched(
            [each for each in old if each.kind == kind], [each for each in new if each.kind == kind]
        )
        for before, after in pairs:
            place = ", ".join(filter(None, (where, before.title)))
            if before.identity != after.identity:
                yield Difference(place, "changed", "Number", before.identity, after.identity)
            yield from _fields(before.fields, after.fields, place)
            yield from _blocks(before.blocks, after.blocks, place)
        for block in gone:
            yield Difference(where, "removed", block.title, _summary(block), "")
        for block in come:
            yield Difference(where, "added", block.title, "", _summary(block))


def _matched(
    old: list[Block], new: list[Block]
) -> tuple[list[tuple[Block, Block]], list[Block], list[Block]]:
    """Pairs of the same block, in the old order; what is left of the old and of the new."""
    pairs: dict[int, Block] = {}
    left, rest = dict(enumerate(old)), list(new)
    for key in _KEYS:
        for at, block in list(left.items()):
            same = key(block)
            match = next((each for each in rest if same and key(each) == same), None)
            if match is not None:
                pairs[at] = match
                rest.remove(match)
                del left[at]
    return [(old[at], pairs[at]) for at in sorted(pairs)], list(left.values()), rest


def _items(block: Block) -> tuple[str, ...]:
    return tuple(each.value for each in block.fields if each.role == "item")


def _number_and_items(block: Block) -> object:
    return (
        (block.title, block.identity, _items(block)) if block.identity and _items(block) else None
    )


def _number(block: Block) -> object:
    return (block.title, block.identity) if block.identity else None


def _only_items(block: Block) -> object:
    return _items(block) if block.kind == "line" else None


def _content(block: Block) -> object:
    return None if block.identity else (block.title, block.fields)


def _title(block: Block) -> object:
    return None if block.identity else block.title


_KEYS: tuple[Key, ...] = (_number_and_items, _number, _only_items, _content, _title)
"""What makes two blocks the same, the surest first."""


def _summary(block: Block) -> str:
    """A block in one line."""
    return ", ".join(each.value for each in block.fields)[:200]
