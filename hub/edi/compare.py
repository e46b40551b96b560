"""What changed between two versions of a document: its fields, and blocks matched by identity.

Lines are the same if they have the same number and items; else the same number; else the same
items. Parties are the same in the same role. The order of lines is no difference.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

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


class Head(NamedTuple):
    """What tells a document from the others of its file."""

    type: str
    number: str
    """Its own number; "" where it has none."""
    name: str
    """Its standard's name."""


class Documents(Protocol):
    """The documents of a file: all of their heads, and each of them when it is wanted."""

    heads: list[Head]

    def paper(self, at: int) -> Paper:
        """The document of a head."""
        ...


def compared(before: Documents, after: Documents) -> Iterator[Difference]:
    """Compare the documents of two files: those of one kind and number, else in their order.

    Two documents are held at a time, however many there are.
    """
    found = _paired(before.heads, after.heads)
    for at in found.gone:
        yield Difference("", "removed", before.heads[at].name, before.heads[at].number, "")
    for old, new in found.renamed:
        numbers = before.heads[old].number, after.heads[new].number
        yield Difference("", "changed", "Number", *numbers)
    pairs = [*found.same, *found.renamed]
    many = len(pairs) > 1
    for old, new in pairs:
        head = before.heads[old]
        where = f"{head.type} {head.number}" if many else ""
        yield from _paper(before.paper(old), after.paper(new), where)
    for at in found.come:
        yield Difference("", "added", after.heads[at].name, "", after.heads[at].number)


class _Paired(NamedTuple):
    """Which document of one file is which of the other, by their places there."""

    same: list[tuple[int, int]]
    renamed: list[tuple[int, int]]
    gone: list[int]
    come: list[int]


def _paired(before: list[Head], after: list[Head]) -> _Paired:
    left = list(range(len(before)))
    rest = list(range(len(after)))
    same, left, rest = _matching(
        [(at, before[at][:2]) for at in left], [(at, after[at][:2]) for at in rest]
    )
    renamed, gone, come = _matching(
        [(at, before[at].type) for at in left], [(at, after[at].type) for at in rest]
    )
    return _Paired(same, renamed, gone, come)


def _matching(
    old: list[tuple[int, object]], new: list[tuple[int, object]]
) -> tuple[list[tuple[int, int]], list[int], list[int]]:
    """Pairs of places with equal keys, in the old order; what is left of the old and of the new."""
    waiting: dict[object, deque[int]] = {}
    for at, key in new:
        waiting.setdefault(key, deque()).append(at)
    pairs, left = [], []
    for at, key in old:
        found = waiting.get(key)
        if found:
            pairs.append((at, found.popleft()))
        else:
            left.append(at)
    return pairs, left, sorted(at for each in waiting.values() for at in each)


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
