"""The simulated ledger: tables in memory, transactions that commit, do not, or nobody knows.

Transactions run one after the other. What row locks do where two of them overlap is PostgreSQL's,
and is tested on PostgreSQL (`tests/integration/`); what is simulated is everything around them:
the ledger away, a process that dies before or after a commit, a commit whose answer is lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from hub.ledger import tables

Row = dict[str, Any]

_TABLES = (
    tables.receipt, tables.document, tables.key_head, tables.delivery, tables.attempt, tables.hold,
    tables.dead_letter, tables.outbox, tables.pause, tables.suspect,
)  # fmt: skip


class Answering(Protocol):
    """The process that asks: it may be paused, and it may die."""

    async def step(self, likely: float = 0.5) -> None:
        """Let a moment pass."""
        ...


class Refused(ConnectionError):
    """The ledger cannot be reached, or the answer of a commit was lost."""


class Table:
    """Rows by primary key; rows are replaced, never changed, so that undoing is cheap."""

    def __init__(self, table: sa.Table) -> None:
        self.name = table.name
        self._key = tuple(column.name for column in table.primary_key.columns)
        self._defaults: Row = {column.name: _default(column) for column in table.columns}
        self._unique = [
            tuple(column.name for column in each.columns)
            for each in table.constraints
            if isinstance(each, sa.UniqueConstraint)
        ] + [
            tuple(each.columns.keys())
            for each in table.indexes
            if each.unique and each.dialect_options["postgresql"]["where"] is None
        ]
        self.rows: dict[Any, Row] = {}

    def key_of(self, row: Row) -> Any:
        """Return the primary key of a row."""
        return row[self._key[0]] if len(self._key) == 1 else tuple(row[name] for name in self._key)

    def full(self, row: Row) -> Row:
        """Return the row with the defaults of the columns that it does not name."""
        return self._defaults | row

    def clash(self, row: Row) -> str:
        """Return what of the row is there already; "" if nothing is."""
        if self.key_of(row) in self.rows:
            return f"pk_{self.name}"
        for names in self._unique:
            mine = [row[name] for name in names]
            if None not in mine and any(
                mine == [other[name] for name in names] for other in self.rows.values()
            ):
                return f"uq_{self.name}_{names[0]}"
        return ""


def _default(column: sa.Column[Any]) -> Any:
    default = column.server_default
    if not isinstance(default, sa.DefaultClause):
        return None
    text = str(default.arg)
    if isinstance(column.type, sa.Boolean):
        return text == "true"
    return int(text) if isinstance(column.type, sa.Integer) and text.isdigit() else text


class Transaction:
    """One transaction: what it changes is seen by its own statements, and undone by a rollback."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._tables = store.tables
        self._undo: list[tuple[Table, Any, Row | None]] = []
        self.seconds = store.seconds

    def all(self, table: str) -> Iterable[Row]:
        """Return the rows of a table, in the order in which they were written."""
        return list(self._tables[table].rows.values())

    def get(self, table: str, key: Any) -> Row | None:
        """Return one row by its primary key."""
        return self._tables[table].rows.get(key)

    def put(self, table: str, row: Row) -> Row:
        """Write a row, new or in place of the one with its key."""
        of = self._tables[table]
        key = of.key_of(row)
        old = of.rows.get(key)
        self._undo.append((of, key, old))
        of.rows[key] = of.full(row) if old is None else row
        return row

    def add(self, table: str, row: Row, *, ignore: bool = False) -> bool:
        """Write a new row; False: `ignore` was given and it is there already.

        Raises:
            IntegrityError: it is there already.
        """
        of = self._tables[table]
        full = of.full(row)
        if table == "outbox":
            full |= {"seq": self._store.next_seq(), "written_at": self.seconds()}
        clash = of.clash(full)
        if clash and not ignore:
            raise IntegrityError(f"INSERT INTO {table}", None, Exception(clash))
        if not clash:
            self.put(table, full)
        return not clash

    def change(self, table: str, row: Row, **values: Any) -> Row:
        """Change columns of a row that was read."""
        return self.put(table, row | values)

    def drop(self, table: str, key: Any) -> None:
        """Delete a row, if it is there."""
        of = self._tables[table]
        old = of.rows.pop(key, None)
        if old is not None:
            self._undo.append((of, key, old))

    def written(self) -> list[tuple[str, Any]]:
        """Return (table, key) of everything that was written, each once."""
        return list(dict.fromkeys((table.name, key) for table, key, _ in self._undo))

    def keep(self) -> None:
        """Commit what was written so far, whatever becomes of the rest: for planted bugs alone."""
        self._undo.clear()

    def roll_back(self) -> None:
        """Undo everything, the newest first."""
        for table, key, old in reversed(self._undo):
            if old is None:
                table.rows.pop(key, None)
            else:
                table.rows[key] = old
        self._undo.clear()


def _nobody(table: str, row: Row) -> None:
    """Nobody listens."""
    del table, row


class Store:
    """The tables and the faults of the server that holds them."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.tables = {table.name: Table(table) for table in _TABLES}
        self.away = False
        """Nobody is answered."""
        self.turn = asyncio.Lock()
        self.lost_answers = 0
        """Commits whose answer is lost: they have taken place, and the caller is not told."""
        self.failing = 0
        """Commits that do not take place."""
        self.seconds = loop.time
        self._seq = 0
        self.listen: Callable[[str, Row], None] = _nobody
        """Told of every row that is committed."""

    def committed(self, transaction: Transaction) -> None:
        """Tell who listens which rows a transaction has written."""
        for table, key in transaction.written():
            row = self.tables[table].rows.get(key)
            if row is not None:
                self.listen(table, row)

    def next_seq(self) -> int:
        """Return the next value of the outbox's counter; like PostgreSQL's, it is never undone."""
        self._seq += 1
        return self._seq

    def rows(self, table: str) -> list[Row]:
        """Return what is committed (or being written) now; for the checker."""
        return list(self.tables[table].rows.values())


class Engine:
    """One process's way to the ledger: what the hub's code takes for an AsyncEngine."""

    def __init__(self, store: Store, process: Answering) -> None:
        self.store = store
        self._process = process

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Transaction]:
        """Open a transaction; it is committed where its block ends well."""
        await self._process.step()
        async with self.store.turn:
            if self.store.away:
                raise Refused("the ledger is away")
            transaction = Transaction(self.store)
            try:
                yield transaction
                await self._process.step(0.3)  # may die here: nothing has happened
                self._refuse_commit()
            except BaseException:
                transaction.roll_back()
                raise
            self.store.committed(transaction)
        lost = self.store.lost_answers > 0
        self.store.lost_answers -= lost
        await self._process.step()  # may die here: all has happened
        if lost:
            raise Refused("the commit's answer was lost")

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[Transaction]:
        """Open a transaction that only reads."""
        await self._process.step()
        async with self.store.turn:
            if self.store.away:
                raise Refused("the ledger is away")
            transaction = Transaction(self.store)
            yield transaction
            transaction.roll_back()

    def _refuse_commit(self) -> None:
        if self.store.away:
            raise Refused("the ledger went away")
        if self.store.failing > 0:
            self.store.failing -= 1
            raise Refused("the commit failed")
