"""Which interchange numbers senders have used, with which bytes, and which they have skipped.

Numbers count per scope: sender, receiver and usage (X12 ISA06, ISA08, ISA15; EDIFACT UNB S002, S003,
0035), over whichever connection they come. References that are no numbers are kept as text and
leave no gaps. A counter may begin anew at 1 behind its last number (99999, 999999999).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.ledger import bulk
from hub.ledger.slices import FEW, INTERCHANGES, slices, upto
from hub.ledger.tables import interchange

REUSED_AFTER = timedelta(days=365)
"""A number that comes again after so long is a new one: counters wrap around and are reset."""

REFUSED = ""
"""The hash of an interchange of which nothing was processed: its number may come again."""

_OTHERS = """
SELECT i.scope, i.reference, i.sha256, i.received_at
FROM unnest($1::text[], $2::text[]) AS w(scope, reference)
JOIN interchange AS i ON i.scope = w.scope AND i.reference = w.reference
"""
_LOOKED_AT = """
SELECT i.connection, i.number, i.received_at, below.number AS below, top.number AS top
FROM interchange AS i
LEFT JOIN LATERAL (SELECT b.number FROM interchange AS b
    WHERE b.scope = i.scope AND b.number < i.number AND b.received_at > i.received_at - $2::interval
        AND (b.received_at <= i.received_at OR i.number - b.number < $3)
    ORDER BY b.number DESC LIMIT 1) AS below ON true
LEFT JOIN LATERAL (SELECT t.number FROM interchange AS t
    WHERE below.number IS NULL AND t.scope = i.scope AND t.received_at < i.received_at
        AND t.received_at > i.received_at - $2::interval
    ORDER BY t.number DESC LIMIT 1) AS top ON true
WHERE i.scope = $1 AND i.number IS NOT NULL
"""
_OF_TIME = f"{_LOOKED_AT} AND i.received_at >= $4 AND i.received_at < $5"
_OF_NUMBERS = f"{_LOOKED_AT} AND i.number = ANY($4::bigint[])"
_LATE = 10_000
"""What comes after a number and is smaller by so much is not late: the counter began anew."""
_SHORTEST, _NEAR_THE_END = 5, 100
"""A counter of at least so many digits wraps around from one of its last so many numbers."""


class Used(NamedTuple):
    """A number as one interchange of a receipt uses it."""

    scope: str
    reference: str
    """As its sender writes it."""
    number: int | None
    """What the next is one more than; None: references of this sender are no numbers."""
    connection: str
    sha256: str
    receipt_id: str
    received_at: datetime


class Gap(NamedTuple):
    """Numbers of a sender that have not come, although a later one has."""

    connection: str
    first: int
    last: int
    """Below `first` where the counter went on at 1 in between."""
    before: int
    """The later one that has come."""
    since: datetime
    """When it came."""


class Span(NamedTuple):
    """Which numbers are looked at: those that came in a span, and some by name."""

    since: datetime
    until: datetime
    numbers: Sequence[int] = ()


async def remember(ledger: AsyncConnection, used: Sequence[Used]) -> set[tuple[str, str, str]]:
    """Write down numbers that are used now; return those taken by other bytes.

    Returns:
        (receipt, reference, hash of the bytes) of each interchange that must not be processed.
    """
    if not used:
        return set()
    rows = [each._asdict() for each in sorted(used, key=_order)]
    new = await bulk.insert(
        ledger,
        interchange,
        rows,
        conflict="ON CONFLICT (scope, reference) DO NOTHING",
        returning="scope, reference, sha256",
    )
    written = {tuple(row) for row in new}
    used = [u for u in used if (u.scope, u.reference, u.sha256) not in written]  # nearly none
    if not used:
        return set()
    result = await ledger.exec_driver_sql(
        _OTHERS, ([each.scope for each in used], [each.reference for each in used])
    )
    known = {(row.scope, row.reference): row for row in result}
    taken = set()
    for each in used:
        row = known[each.scope, each.reference]
        if each.sha256 in (row.sha256, REFUSED):
            continue
        if row.sha256 != REFUSED and each.received_at - row.received_at < REUSED_AFTER:
            taken.add((each.receipt_id, each.reference, each.sha256))
        else:
            await _take_over(ledger, each)
    return taken


def _order(used: Used) -> tuple[str, str, datetime]:
    """One order for all replicas, so that no two wait for one another."""
    return used.scope, used.reference, used.received_at


async def _take_over(ledger: AsyncConnection, used: Used) -> None:
    await ledger.execute(
        sa.update(interchange)
        .where(interchange.c.scope == used.scope, interchange.c.reference == used.reference)
        .values(
            connection=used.connection,
            sha256=used.sha256,
            receipt_id=used.receipt_id,
            received_at=used.received_at,
        )
    )


async def gaps(ledger: AsyncConnection, scope: str, span: Span) -> tuple[list[Gap], int]:
    """Return the numbers that are missing before those of a span, and how many were looked at."""
    given = scope, REUSED_AFTER, _LATE
    rows = list(await ledger.exec_driver_sql(_OF_NUMBERS, (*given, list(span.numbers))))
    whole = span.since, upto(span.until)
    async for part in slices(ledger, INTERCHANGES, whole, scope, most=FEW):
        rows += await ledger.exec_driver_sql(_OF_TIME, (*given, *part))
    looked = {(row.received_at, row.number): row for row in rows}
    found = []
    for _, row in sorted(looked.items()):
        missing = skipped(row.number, row.below, row.top)
        if missing is not None:
            found.append(Gap(row.connection, *missing, row.number, row.received_at))
    return found, len(looked)


def skipped(number: int, below: int | None, top: int | None) -> tuple[int, int] | None:
    """Return the first and the last number that are missing before one that has come.

    Args:
        number: the one that has come.
        below: the highest below it that has come, of the last year; None: none.
        top: where there is none below it, the highest that came before it; None: none.

    Returns:
        None where nothing is missing, or nobody can know; first above last where the counter
        went on at 1 in between.
    """
    if below is not None:
        return (below + 1, number - 1) if number > below + 1 else None
    if top is None or not _at_its_end(top):
        return None  # the first of its sender, or a counter that was set back by hand
    end = _end(top)
    first = 1 if top == end else top + 1
    last = end if number == 1 else number - 1
    return None if top == end and number == 1 else (first, last)


def _end(number: int) -> int:
    return int("9" * len(str(number)))


def _at_its_end(number: int) -> bool:
    return len(str(number)) >= _SHORTEST and _end(number) - number < _NEAR_THE_END


def sizes(found: Iterable[Gap]) -> int:
    """Return how many numbers are missing in gaps together, across the end of a counter too."""
    return sum(_size(gap) for gap in found)


def _size(gap: Gap) -> int:
    if gap.first <= gap.last:
        return gap.last - gap.first + 1
    return _end(gap.first) - gap.first + 1 + gap.last
