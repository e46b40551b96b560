"""Alembic's entry: runs the revisions on the connection that the hub hands over."""

from __future__ import annotations

from alembic import context

from hub.ledger.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
)
context.run_migrations()
