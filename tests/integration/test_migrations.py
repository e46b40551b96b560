"""The migrations make exactly the tables that the code knows."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from hub.ledger.engine import migrate, open_engine
from hub.ledger.tables import metadata


async def test_a_migrated_database_has_the_schema_of_the_code(database: str) -> None:
    engine = open_engine(database)

    def differences(connection: sa.Connection) -> Any:
        return compare_metadata(MigrationContext.configure(connection), metadata)

    try:
        await migrate(engine)  # doing it again changes nothing
        async with engine.connect() as connection:
            assert await connection.run_sync(differences) == []
    finally:
        await engine.dispose()
