"""The jobs that do not go order by order: read their facts, ask their pure function."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType

from hub.reconcile import (
    acknowledgement_overdue,
    book_facts,
    change_without_order,
    delivery_facts,
    double_entry,
    duplicate_effects,
    hold_facts,
    interchange_facts,
    interchange_gap,
    inventory_variance,
    ledger_vs_target,
    statement_facts,
    stock_facts,
)
from hub.reconcile.context import Context, Looked

LedgerJob = Callable[[Context], Awaitable[Looked]]


async def inventory(context: Context) -> Looked:
    """Compare stock; every position that differs at all is looked at."""
    books = context.site.control_points.reference
    found = await stock_facts.positions(context.ledger, books, context.policy.warehouses)
    numbers = {position.item for position in found}
    items = await context.items.named(context.ledger, numbers)
    differing, unchecked = inventory_variance.find(found, items, context.policy, context.now)
    return Looked(differing, len(found), unchecked)


async def acknowledgements(context: Context) -> Looked:
    """Look at what was sent to those who acknowledge."""
    job = acknowledgement_overdue.NAME
    sent = await delivery_facts.sent(context.ledger, job, context.since, context.now, context.site)
    return Looked(acknowledgement_overdue.find(sent, context.now), len(sent))


async def gaps(context: Context) -> Looked:
    """Look at the numbers that senders skipped, each with its own grace period."""
    senders = interchange_facts.counted(context.site)
    job, span = interchange_gap.NAME, (context.since, context.now)
    found, looked_at = await interchange_facts.skipped(context.ledger, job, *span, senders)
    partners = {name: each.partner for name, each in context.site.connections.items()}
    return Looked(interchange_gap.find(found, partners), looked_at)


async def parked(context: Context) -> Looked:
    """Look at every change that waits for its order."""
    waiting = await hold_facts.parked(context.ledger)
    found = change_without_order.find(waiting, context.policy.parked_after, context.now)
    return Looked(found, len(waiting))


async def duplicates(context: Context) -> Looked:
    """Look at what targets made of our deliveries."""
    actions = sorted({route.action for route in context.site.routes})
    job = duplicate_effects.NAME
    found = await delivery_facts.effects(context.ledger, job, context.span, actions)
    return Looked(duplicate_effects.find(found), len(found))


async def targets(context: Context) -> Looked:
    """Compare our deliveries with every list that a target gave us."""
    found, looked_at = [], 0
    for statement in await statement_facts.statements(context.ledger):
        ours, theirs = await delivery_facts.both_sides(context.ledger, statement)
        # In a thread: a list may be long, and the hub's event loop goes on meanwhile.
        found += await asyncio.to_thread(ledger_vs_target.find, statement, ours, theirs)
        looked_at += len(ours)
    return Looked(found, looked_at)


async def books(context: Context) -> Looked:
    """Add up the hub's own books."""
    stuck = context.now - context.policy.stuck_after
    job = double_entry.NAME
    days = ((context.since - context.policy.stuck_after).date(), context.now.date())
    entries = await book_facts.entries(context.ledger, job, days, stuck)
    return Looked(double_entry.find(entries), sum(entry.count for entry in entries))


LEDGER_JOBS: Mapping[str, tuple[LedgerJob, str]] = MappingProxyType(
    {
        acknowledgement_overdue.NAME: (acknowledgements, acknowledgement_overdue.OWNER),
        change_without_order.NAME: (parked, change_without_order.OWNER),
        interchange_gap.NAME: (gaps, interchange_gap.OWNER),
        inventory_variance.NAME: (inventory, inventory_variance.OWNER),
        duplicate_effects.NAME: (duplicates, duplicate_effects.OWNER),
        ledger_vs_target.NAME: (targets, ledger_vs_target.OWNER),
        double_entry.NAME: (books, double_entry.OWNER),
    }
)
"""Name -> what runs it, and who its findings belong to at first."""
