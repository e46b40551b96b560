"""Documents listed, the newest first, whatever else is in the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.ledger.document_words import ENTITIES, DocumentState
from hub.ledger.tables import document

Columns = Sequence[sa.Column[Any]]


async def listing(
    connection: AsyncConnection,
    columns: Columns,
    *,
    entity: str | None = None,
    state: str | None = None,
    limit: int = 100,
) -> Sequence[sa.RowMapping]:
    """Return documents, of a kind and in a state if one is given, the newest first.

    Args:
        connection: to the ledger.
        columns: of `document`; `created_at` has to be among them.
        entity: one of `ENTITIES`; None: any.
        state: one of `DocumentState`; None: any.
        limit: how many at most.
    """
    newest = sa.select(*columns).order_by(document.c.created_at.desc()).limit(limit)
    if entity is not None or state is not None:
        newest = _of_each(
            newest,
            ENTITIES if entity is None else [entity],
            list(DocumentState) if state is None else [state],
        ).limit(limit)
    return (await connection.execute(newest)).mappings().all()


def _of_each(
    newest: sa.Select[Any], entities: Sequence[str], states: Sequence[str]
) -> sa.Select[Any]:
    """Return the newest of each kind in each state, from one index, and of these the newest.

    By the index of times alone, few documents among millions of others would be looked for in all
    of them; what is asked for here only the index of kinds and states has in its order.
    """
    kinds, words = _words(entities, "kind"), _words(states, "word")
    of = document.c.entity, document.c.state, document.c.created_at
    last: sa.ColumnClause[Any] = sa.literal_column("'infinity'::timestamptz")
    of_one = (
        newest.where(
            sa.tuple_(*of) <= sa.tuple_(kinds.c.kind, words.c.word, last),
            sa.tuple_(*of[:2]) >= sa.tuple_(kinds.c.kind, words.c.word),
        )
        .order_by(None)
        .order_by(*(column.desc() for column in of))
    )
    found = of_one.lateral("found")
    return (
        sa.select(*found.c)
        .select_from(kinds.join(words, sa.true()).join(found, sa.true()))
        .order_by(found.c.created_at.desc())
    )


def _words(words: Sequence[str], name: str) -> sa.TableValuedAlias:
    given = sa.literal([str(word) for word in words], ARRAY(sa.Text))
    return sa.func.unnest(given).table_valued(name, name=f"{name}s").render_derived()
