"""Papers and what changed between two, as lines of text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from connectors.paper import Block, Field, Paper, Role

_STEP = "  "
_COLUMNS = ("line", "item", "description", "quantity", "price")
_SINGLE: tuple[Role, ...] = ("quantity", "price")
_WIDEST = 80


def page(paper: Paper) -> Iterator[str]:
    """Yield a document: what it says of itself, its parties, its lines as a table, all else."""
    head = f"{paper.name} {paper.number}"
    yield head
    yield "=" * len(head)
    totals = [each for each in paper.fields if each.role == "total"]
    yield from _fields([each for each in paper.fields if each.role != "total"], 0)
    for kinds in (("party",), ("line", "level"), ("part",)):
        yield from _blocks([each for each in paper.blocks if each.kind in kinds], 0)
    if totals:
        yield ""
        yield from _fields(totals, 0)


def _fields(fields: Sequence[Field], depth: int) -> Iterator[str]:
    width = max((len(each.label) for each in fields), default=0)
    width = min(width, _WIDEST)
    for each in fields:
        yield f"{_STEP * depth}{each.label + ':':<{width + 1}} {each.value}"


def _blocks(blocks: Sequence[Block], depth: int) -> Iterator[str]:
    lines = [each for each in blocks if each.kind == "line"]
    if lines:
        yield from _table(lines, depth)
    for block in blocks:
        if block.kind != "line":
            if not depth:
                yield ""
            yield f"{_STEP * depth}{block.title}"
            yield from _fields(block.fields, depth + 1)
            yield from _blocks(block.blocks, depth + 1)


def _table(lines: Sequence[Block], depth: int) -> Iterator[str]:
    """Yield lines as a table; what has no column stands below its line."""
    rows = [_row(each) for each in lines]
    used = [at for at, _ in enumerate(_COLUMNS) if any(row[at] for row in rows)]
    widths = [min(_WIDEST, max(len(_COLUMNS[at]), *(len(row[at]) for row in rows))) for at in used]
    lead = _STEP * depth
    yield ""
    yield lead + _joined([_COLUMNS[at] for at in used], widths)
    yield lead + _joined(["-" * width for width in widths], widths)
    for block, row in zip(lines, rows, strict=True):
        yield lead + _joined([row[at] for at in used], widths)
        yield from _fields(_rest(block), depth + 2)
        yield from _blocks(block.blocks, depth + 2)


def _rest(block: Block) -> list[Field]:
    """What has no column, and all quantities and prices but the first: their labels matter."""
    firsts = [next((f for f in block.fields if f.role == role), None) for role in _SINGLE]
    shown = [each for each in block.fields if each.role in ("item", "description", "number")]
    return [each for each in block.fields if each not in firsts and each not in shown]


def _row(block: Block) -> list[str]:
    items = [f"{each.value} ({each.label})" for each in block.fields if each.role == "item"]
    return [
        block.identity,
        ", ".join(items),
        " ".join(block.of("description")),
        *(next(iter(block.of(role)), "") for role in _SINGLE),
    ]


def _joined(cells: Iterable[str], widths: Iterable[int]) -> str:
    return "  ".join(f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True)).rstrip()


def changes(differences: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Yield what changed, a line each; of nothing, that nothing did."""
    anything = False
    for each in differences:
        anything = True
        where = f"{each['where']}: " if each["where"] else ""
        if each["what"] == "changed":
            yield f"{where}{each['label']}: {each['before']} -> {each['after']}"
        else:
            label = f"{each['label']}: " if each["label"] else ""
            yield f"{where}{label}{each['what']}: {each['after'] or each['before']}"
    if not anything:
        yield "no difference"
