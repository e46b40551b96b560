"""`/v1`: the account, threads, documents and holds, read from the ledger."""

from __future__ import annotations

from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Query
from pydantic import AfterValidator
from sqlalchemy.ext.asyncio import AsyncEngine

from canonical.errors import Rejected
from hub.api.access import Access, Who
from hub.api.words import word_of
from hub.ledger import account, holds, threads
from hub.ledger.document_words import ENTITIES, DocumentState
from hub.ledger.documents import listing
from hub.ledger.tables import document
from hub.reconcile.trace import as_json, lines
from hub.settings.model import Site
from hub.settings.roles import may

_COLUMNS = (
    document.c.id,
    document.c.direction,
    document.c.entity,
    document.c.number,
    document.c.partner,
    document.c.connection,
    document.c.verdict,
    document.c.state,
    document.c.version,
    document.c.reference,
    document.c.code,
    document.c.place,
    document.c.created_at,
    document.c.settled_at,
)
Entity = Annotated[str, AfterValidator(word_of(ENTITIES))]
Limit = Annotated[int, Query(ge=1, le=1000)]


class DocumentsApi:
    """Read-only views of the ledger; the document's own content is only in `/v1/documents/{id}`, for operators."""

    def __init__(self, site: Site, engine: AsyncEngine, access: Access) -> None:
        self._site = site
        self._engine = engine
        self._access = access

    def routes(self) -> APIRouter:
        """Return the FastAPI routes."""
        router = APIRouter(prefix="/v1", tags=["documents"], dependencies=[self._access.required()])
        add = router.add_api_route
        add("/account", self.account, summary="What became of everything that was received")
        add("/documents", self.documents, summary="List documents, newest first")
        add(
            "/documents/{document_id}",
            self.document,
            summary="One document; its content needs operator",
        )
        add("/threads/{key}", self.thread, summary="Everything known of one purchase order")
        add("/holds", self.held, summary="List open holds")
        return router

    async def account(self) -> dict[str, Any]:
        """Return the balance per entity and in total."""
        async with self._engine.connect() as ledger:
            found = await account.balances(ledger)
        return {name: balance.as_dict() for name, balance in found.items()}

    async def documents(
        self,
        entity: Entity | None = None,
        state: DocumentState | None = None,
        limit: Limit = 100,
    ) -> list[dict[str, Any]]:
        """List documents by entity and state."""
        async with self._engine.connect() as ledger:
            rows = await listing(ledger, _COLUMNS, entity=entity, state=state, limit=limit)
        return [dict(row) for row in rows]

    async def document(self, document_id: str, caller: Who) -> dict[str, Any]:
        """Return one document; with its canonical form, which names people, to operators only."""
        content = [document.c.canonical] if may(caller.role, "operator") else []
        statement = sa.select(*_COLUMNS, *content).where(document.c.id == document_id)
        async with self._engine.connect() as ledger:
            row = (await ledger.execute(statement)).mappings().first()
        if row is None:
            raise Rejected("document_unknown", "", "no document has this id")
        return dict(row)

    async def thread(self, key: str) -> dict[str, Any]:
        """Return the thread of a PO, order, shipment, invoice, tracking or SSCC number.

        With its line quantities, and every conversion of a unit.
        """
        async with self._engine.connect() as ledger:
            found = await threads.find(ledger, key)
            if found is None:
                raise Rejected("thread_unknown", "", "the ledger does not know this key")
            return as_json(found) | {"lines": await lines(ledger, self._site, found.references)}

    async def held(self, limit: Limit = 100) -> list[dict[str, Any]]:
        """List open holds with their reasons."""
        async with self._engine.connect() as ledger:
            return [dict(row) for row in await holds.listing(ledger, limit=limit)]
