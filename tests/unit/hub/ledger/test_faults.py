"""Only what passes by itself is tried again: a fault of the statement would wait for ever."""

from __future__ import annotations

import asyncpg
import pytest
import sqlalchemy.exc

from hub.ledger.faults import is_passing


def wrapped(error: Exception, *, gone: bool = False) -> sqlalchemy.exc.DBAPIError:
    """Return the error as SQLAlchemy raises it."""
    return sqlalchemy.exc.InterfaceError("SELECT", None, error, connection_invalidated=gone)


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.InterfaceError("the number of query arguments cannot exceed 32767"),
        asyncpg.DataError("invalid input for query argument $1"),
        asyncpg.UniqueViolationError("duplicate key"),
        asyncpg.UndefinedTableError("no such table"),
        ValueError("not of the database"),
    ],
)
def test_a_fault_of_the_statement_or_the_data_does_not_pass(error: Exception) -> None:
    assert not is_passing(error)
    assert not is_passing(wrapped(error))


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.InterfaceError("cannot perform operation: connection is closed"),
        asyncpg.InterfaceError("cannot perform operation: another operation is in progress"),
        asyncpg.InterfaceError("cannot perform operation: another operation is cancelling"),
        asyncpg.InternalClientError(
            "cannot switch to state 21; another operation (2) is in progress"
        ),
        asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation"),
        asyncpg.DeadlockDetectedError("deadlock"),
        asyncpg.OutOfMemoryError("out of shared memory"),
        asyncpg.DiskFullError("disk full"),
        ConnectionRefusedError(),
        TimeoutError(),
    ],
)
def test_a_fault_of_the_server_or_the_way_to_it_passes(error: Exception) -> None:
    assert is_passing(error)
    assert is_passing(wrapped(error))


def test_a_connection_that_was_given_up_passes() -> None:
    assert is_passing(wrapped(asyncpg.InterfaceError("anything"), gone=True))
