"""The jobs that go order by order: one reading of the orders serves all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice
from types import MappingProxyType

from hub.reconcile import (
    answer_drift,
    facts,
    invoiced_not_shipped,
    not_acknowledged,
    not_shipped,
    price_drift,
    quantity_drift,
    ship_not_invoiced,
    three_way_match,
)
from hub.reconcile.context import Context, Looked
from hub.reconcile.discrepancy import Discrepancy
from hub.reconcile.line_ledger import ItemFacts, Line, build
from hub.reconcile.orders import OrderThread
from hub.reconcile.policy import Policy

OrderJob = Callable[[OrderThread, Sequence[Line], Policy, datetime], Discrepancy | None]
_AT_ONCE = 200
"""Orders in memory at a time: their rows are read in some ten milliseconds of the event loop."""

ORDER_JOBS: Mapping[str, tuple[OrderJob, str]] = MappingProxyType(
    {
        ship_not_invoiced.NAME: (ship_not_invoiced.find, ship_not_invoiced.OWNER),
        invoiced_not_shipped.NAME: (invoiced_not_shipped.find, invoiced_not_shipped.OWNER),
        quantity_drift.NAME: (quantity_drift.find, quantity_drift.OWNER),
        price_drift.NAME: (price_drift.find, price_drift.OWNER),
        not_acknowledged.NAME: (not_acknowledged.find, not_acknowledged.OWNER),
        not_shipped.NAME: (not_shipped.find, not_shipped.OWNER),
        answer_drift.NAME: (answer_drift.find, answer_drift.OWNER),
        three_way_match.NAME: (three_way_match.find, three_way_match.OWNER),
    }
)
"""Name -> the pure function, and who its findings belong to at first."""

_OF_PURCHASES = frozenset({answer_drift.NAME, three_way_match.NAME, not_acknowledged.NAME})
"""The jobs that look at our own purchase orders; `three_way_match` looks at nothing else."""


async def look(context: Context, jobs: Sequence[str]) -> dict[str, Looked]:
    """Run these jobs over all orders that there is news of.

    They are read in portions; an order's own documents are always read together.
    """
    names = await facts.candidates(context.ledger, _span(context), jobs)
    found: dict[str, list[Discrepancy]] = {job: [] for job in jobs}
    unchecked = 0
    for references in _portions(names):
        threads = await facts.threads(context.ledger, references)
        items = await context.items.of(context.ledger, threads)
        # In a thread: the hub's event loop goes on meanwhile.
        unchecked += await asyncio.to_thread(_judge, context, threads, items, found)
    return {job: Looked(found[job], len(names), unchecked) for job in jobs}


def _judge(
    context: Context,
    threads: Iterable[OrderThread],
    items: Mapping[str, ItemFacts],
    found: Mapping[str, list[Discrepancy]],
) -> int:
    """Add what the jobs find in these orders to `found`; return how many cannot be compared."""
    unchecked = 0
    for told in threads:
        purchase = told.is_purchase(context.policy.purchasing)
        thread = told.as_received() if purchase else told
        lines = build(thread, context.policy.units, items)
        unchecked += not all(line.comparable for line in lines)
        for job in _fitting(thread, found, context.policy):
            one = ORDER_JOBS[job][0](thread, lines, context.policy, context.now)
            if one is not None:
                found[job].append(one)
    return unchecked


def _fitting(thread: OrderThread, jobs: Iterable[str], policy: Policy) -> list[str]:
    if thread.is_purchase(policy.purchasing):
        return [job for job in jobs if job in _OF_PURCHASES]
    return [job for job in jobs if job != three_way_match.NAME]


def _span(context: Context) -> facts.Span:
    """The orders' own days are looked at once the days of grace are over."""
    grace = timedelta(days=context.policy.late_days + 1)
    first, last = context.days
    return facts.Span(context.news(context.policy.clocks), first - grace, last)


def _portions(names: Iterable[str]) -> Iterable[list[str]]:
    rest = iter(names)
    while portion := list(islice(rest, _AT_ONCE)):
        yield portion
