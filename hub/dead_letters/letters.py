"""Reading dead letters: lists, groups, and everything known of one. Never a payload."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.dead_letters.filters import Filters, State, conditions, resolve
from hub.dead_letters.related import related
from hub.ledger import deployments
from hub.ledger.arrays import among
from hub.ledger.deployments import Change
from hub.ledger.tables import attempt, audit, dead_letter, delivery, document, letter_edit, receipt

Row = dict[str, Any]

_MOST_CHANGES = 5
WAITING = (State.OPEN, State.REPLAYING)
"""What lists show unless told otherwise: what somebody or something still has to do."""


def _from() -> sa.Join:
    return dead_letter.outerjoin(document, document.c.id == dead_letter.c.document_id)


async def listing(
    connection: AsyncConnection, filters: Filters, usual: Iterable[State] = WAITING
) -> list[Row]:
    """Return the letters that the filters choose, the oldest first, with their documents' numbers.

    Args:
        connection: to the ledger.
        filters: which.
        usual: the states to look at where the filters name none.

    Raises:
        Rejected: an id is unknown, ambiguous or too short.
    """
    query = await choice(connection, filters, usual)
    return [dict(row) for row in (await connection.execute(query)).mappings()]


async def choice(
    connection: AsyncConnection, filters: Filters, usual: Iterable[State]
) -> sa.Select[Any]:
    """Return what selects the letters of `listing`: their rows, in their order.

    Raises:
        Rejected: an id is unknown, ambiguous or too short.
    """
    columns = (dead_letter, document.c.number, document.c.reference)
    query = sa.select(*columns).select_from(_from()).where(*conditions(filters))
    query = query.where(*_in_states(filters.states(usual)))
    if filters.ids:
        query = query.where(among(dead_letter.c.id, await resolve(connection, filters.ids)))
    query = query.order_by(dead_letter.c.opened_at, dead_letter.c.id)
    return query if filters.limit is None else query.limit(filters.limit)


def _in_states(states: Sequence[str]) -> list[sa.ColumnElement[bool]]:
    """Return the condition on states, if it is one.

    Written out, and not bound: only so does PostgreSQL see that the index of what waits will do.
    """
    if len(states) == len(State) - 1:  # all of them
        return []
    words: sa.BindParameter[Any] = sa.bindparam(
        "states", list(states), expanding=True, literal_execute=True
    )
    return [dead_letter.c.state.in_(words)]


async def groups(
    connection: AsyncConnection, filters: Filters, usual: Iterable[State] = WAITING
) -> list[Row]:
    """Return letters counted by fingerprint, the largest group first.

    Columns: ``group``, ``stage``, ``code``, ``place`` (of one of them), ``target``,
    ``said`` (what the target answered one of them), ``mapping_version``, ``count``, ``first_seen``,
    ``last_seen``, ``partners``, ``money`` (what the documents are worth, by currency; documents
    that could not be read have no amount).
    """
    chosen = filters.states(usual)
    picked = [*conditions(filters), *_in_states(chosen)]
    if filters.ids:
        picked.append(among(dead_letter.c.id, await resolve(connection, filters.ids)))
    letter, count = dead_letter.c, sa.func.count()
    query = (
        sa.select(
            letter.fingerprint.label("group"),
            letter.currency,
            sa.func.min(letter.stage).label("stage"),
            sa.func.min(letter.code).label("code"),
            sa.func.min(letter.place).label("place"),
            sa.func.min(letter.target).label("target"),
            sa.func.max(letter.said).label("said"),
            sa.func.min(letter.mapping_version).label("mapping_version"),
            count.label("count"),
            sa.func.min(letter.opened_at).label("first_seen"),
            sa.func.max(letter.opened_at).label("last_seen"),
            sa.func.array_agg(letter.partner.distinct()).label("partners"),
            sa.func.sum(letter.amount).label("amount"),
        )
        .select_from(_from())
        .where(*picked)
        .group_by(letter.fingerprint, letter.currency)
    )
    merged: dict[str, Row] = {}
    for row in (await connection.execute(query)).mappings():
        _merge(merged, dict(row))
    for group in merged.values():
        group["money"] = {name: plain(total) for name, total in group["money"].items()}
    ordered = sorted(merged.values(), key=lambda row: (-row["count"], row["first_seen"]))
    return ordered[: filters.limit]


async def with_changes(connection: AsyncConnection, found: Sequence[Row]) -> list[Row]:
    """Return groups with ``changed``: what changed in the day before their first failure.

    The newest change first, as people say it: ``mapping x12/850.order changed 6 minutes earlier``.
    """
    if not found:
        return []
    first, last = (pick(row["first_seen"] for row in found) for pick in (min, max))
    known = await deployments.changes(connection, first - deployments.SHORTLY, last)
    return [row | {"changed": _before(row["first_seen"], known)} for row in found]


def _before(moment: datetime, known: Sequence[Change]) -> list[str]:
    earliest = moment - deployments.SHORTLY
    near = [change for change in known if earliest < change.at <= moment]
    return [f"{change.what} {_ago(moment - change.at)}" for change in near[:_MOST_CHANGES]]


def _ago(passed: timedelta) -> str:
    """Return how long before, in the largest unit that fits."""
    seconds = int(passed.total_seconds())
    for size, unit in ((3600, "hour"), (60, "minute"), (1, "second")):
        count = seconds // size
        if count:
            return f"{count} {unit}{'s' if count > 1 else ''} earlier"
    return "just then"


def plain(amount: Decimal) -> str:
    """Return an amount as text, without the zeros that its column adds."""
    return format(amount.normalize(), "f")


def _merge(merged: dict[str, Row], row: Row) -> None:
    """Add the figures of one currency to their group."""
    amount, currency = row.pop("amount"), row.pop("currency")
    group = merged.setdefault(row["group"], row | {"count": 0, "partners": [], "money": {}})
    group["count"] += row["count"]
    group["partners"] = sorted({*group["partners"], *row["partners"]})
    group["first_seen"] = min(group["first_seen"], row["first_seen"])
    group["last_seen"] = max(group["last_seen"], row["last_seen"])
    group["said"] = group["said"] or row["said"]
    if amount is not None:
        money: dict[str, Decimal] = group["money"]
        money[currency or ""] = money.get(currency or "", Decimal(0)) + amount


async def show(connection: AsyncConnection, name: str) -> Row:
    """Return everything known of one letter.

    Keys: those of `listing`, ``receipt``, ``delivery`` (None where it never came to one),
    ``history`` (every try of the delivery), ``related`` (the letters before and after it of the
    same document), ``acts`` (who did what to it), ``edits`` (corrections: places, never values).

    Raises:
        Rejected: the id is unknown, ambiguous or too short.
    """
    (letter,) = await listing(connection, Filters(ids=(name,)))
    tries = attempt.c.delivery_id == letter["delivery_id"]
    acts = (audit.c.at, audit.c.actor, audit.c.action, audit.c.reason)
    return letter | {
        "receipt": await _one(connection, _RECEIPT.where(receipt.c.id == letter["receipt_id"])),
        "delivery": await _one(connection, _DELIVERY.where(delivery.c.id == letter["delivery_id"])),
        "history": await _rows(connection, sa.select(attempt).where(tries).order_by(attempt.c.n)),
        "related": [dict(each) for each in await related(connection, letter)],
        "acts": await _rows(
            connection,
            sa.select(*acts).where(audit.c.subject == letter["id"]).order_by(audit.c.seq),
        ),
        "edits": await _rows(
            connection,
            sa.select(*_EDIT)
            .where(letter_edit.c.letter_id == letter["id"])
            .order_by(letter_edit.c.made_at),
        ),
    }


_RECEIPT = sa.select(
    receipt.c.id,
    receipt.c.connection,
    receipt.c.delivery_id,
    receipt.c.sha256,
    receipt.c.size,
    receipt.c.content_type,
    receipt.c.received_at,
    receipt.c.archive,
    receipt.c.facts["file"].astext.label("file"),
)
_DELIVERY = sa.select(
    delivery.c.id,
    delivery.c.target,
    delivery.c.action,
    delivery.c.flow,
    delivery.c.version,
    delivery.c.state,
    delivery.c.reference,
    delivery.c.external_id,
    delivery.c.sent_sha256,
    delivery.c.archive,
)
_EDIT = (
    letter_edit.c.id,
    letter_edit.c.made_at,
    letter_edit.c.of,
    letter_edit.c.state,
    letter_edit.c.changed,
    letter_edit.c.actor,
    letter_edit.c.approved_by,
    letter_edit.c.reason,
)


async def waiting(connection: AsyncConnection, letter: Mapping[str, Any]) -> list[Row]:
    """Return the deliveries that a dead one keeps from going on.

    Later versions under the same business key at its target, and what of the same document is to
    follow it at other targets. Columns: ``entity``, ``number``, ``version``, ``target``, ``action``.
    """
    if letter["delivery_id"] is None:
        return []
    mine = delivery.alias("mine")
    behind = sa.and_(
        delivery.c.business_key == mine.c.business_key,
        delivery.c.target == mine.c.target,
        delivery.c.version > mine.c.version,
    )
    after = sa.and_(
        delivery.c.document_id == mine.c.document_id, delivery.c.after_target == mine.c.target
    )
    columns = (delivery.c.version, delivery.c.target, delivery.c.action)
    return await _rows(
        connection,
        sa.select(document.c.entity, document.c.number, *columns)
        .join(mine, sa.or_(behind, after))
        .join(document, document.c.id == delivery.c.document_id)
        .where(mine.c.id == letter["delivery_id"], delivery.c.state == "pending")
        .order_by(delivery.c.version, delivery.c.target),
    )


async def _rows(connection: AsyncConnection, query: sa.Select[Any]) -> list[Row]:
    return [dict(row) for row in (await connection.execute(query)).mappings()]


async def _one(connection: AsyncConnection, query: sa.Select[Any]) -> Row | None:
    rows: Sequence[Row] = await _rows(connection, query)
    return rows[0] if rows else None
