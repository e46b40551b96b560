"""What the story acts with: the sandbox's control side, the ledger to watch, the command line."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from canonical.errors import Retryable
from canonical.identity import BusinessKey, normalise, reference_for
from hub.demo.world import CONFIG, CROSSDOCK, World
from hub.ledger.tables import dead_letter, document, finding, reference

_DEADLINE = 45.0
_LOOK = 0.1


@dataclass(frozen=True, slots=True)
class Stage:
    """The running world, seen from outside."""

    world: World
    engine: AsyncEngine
    http: httpx.AsyncClient

    async def tell(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Post to the sandbox's control side."""
        response = await self.http.post(f"{self.world.sandbox_url}/_control/{path}", json=body)
        response.raise_for_status()
        answer: dict[str, Any] = response.json()
        return answer

    async def ask(self, path: str) -> dict[str, Any]:
        """Get from the sandbox's control side."""
        response = await self.http.get(f"{self.world.sandbox_url}/_control/{path}")
        response.raise_for_status()
        answer: dict[str, Any] = response.json()
        return answer

    async def journal(self) -> list[dict[str, Any]]:
        """Return all effects that the emulated systems have recorded."""
        entries: list[dict[str, Any]] = []
        while True:
            since = entries[-1]["seq"] if entries else 0
            page = await self.ask(f"journal?since={since}")
            if not page["entries"]:
                return entries
            entries += page["entries"]

    async def send(self, partner: str, *orders: dict[str, Any]) -> dict[str, Any]:
        """Let a partner drop one 850 with these orders."""
        return await self.tell("partner/orders", {"partner": partner, "orders": list(orders)})

    async def command(self, *arguments: str) -> dict[str, Any] | list[Any]:
        """Run `crossdock` as a person would; returns its JSON, if it printed some.

        Raises:
            Retryable: ``command_failed``; the text is the command's own.
        """
        process = await asyncio.create_subprocess_exec(
            *CROSSDOCK, *arguments,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, **self.world.environment, "CROSSDOCK_CONFIG": str(CONFIG)},
        )  # fmt: skip
        out, err = await process.communicate()
        if process.returncode != 0:
            detail = (err or out).decode(errors="replace").strip()
            raise Retryable("command_failed", " ".join(arguments[:3]), detail)
        try:
            found: dict[str, Any] | list[Any] = json.loads(out)
        except ValueError:
            return {"text": out.decode(errors="replace").strip()}
        return found

    async def until(self, what: str, condition: Callable[[], Awaitable[bool]]) -> None:
        """Wait for a condition.

        Raises:
            Retryable: ``demo_stuck`` with what was waited for.
        """
        deadline = time.monotonic() + _DEADLINE
        while not await condition():
            if time.monotonic() > deadline:
                logs = self.world.places.root
                raise Retryable("demo_stuck", what, f"did not happen in time; see {logs}/hub.log")
            await asyncio.sleep(_LOOK)

    async def documents(self, number: str, entity: str = "order") -> list[tuple[str, str]]:
        """Return (verdict, state) of each received document with a number, oldest first."""
        statement = (
            sa.select(document.c.verdict, document.c.state)
            .where(document.c.number == number, document.c.direction == "in")
            .order_by(document.c.created_at)
        )
        if entity:
            statement = statement.where(document.c.entity == entity)
        async with self.engine.connect() as ledger:
            return [(row.verdict, row.state) for row in await ledger.execute(statement)]

    async def until_state(self, number: str, state: str, entity: str = "order") -> None:
        """Wait until some document with the number is in a state."""

        async def there() -> bool:
            return any(found == state for _, found in await self.documents(number, entity))

        await self.until(f"{entity} {number} {state}", there)

    async def until_verdict(self, number: str, verdict: str, entity: str = "order") -> None:
        """Wait until some document with the number got a verdict."""

        async def there() -> bool:
            return any(found == verdict for found, _ in await self.documents(number, entity))

        await self.until(f"{entity} {number} {verdict}", there)

    async def count(self, statement: sa.Select[Any]) -> int:
        """Return the one number that a statement selects."""
        async with self.engine.connect() as ledger:
            return int(await ledger.scalar(statement) or 0)

    async def references(self) -> int:
        """Return how many reference snapshots the hub has."""
        return await self.count(sa.select(sa.func.count()).select_from(reference))

    async def dead(self, state: str = "open") -> int:
        """Return how many dead letters are in a state."""
        rows = sa.select(sa.func.count()).select_from(dead_letter)
        return await self.count(rows.where(dead_letter.c.state == state))

    async def findings(self, state: str) -> int:
        """Return how many findings are in a state."""
        rows = sa.select(sa.func.count()).select_from(finding)
        return await self.count(rows.where(finding.c.state == state))

    async def posted(self, reference_: str, entity: str) -> bool:
        """Tell whether a delivered document of an entity carries our reference."""
        rows = sa.select(sa.func.count()).where(
            document.c.reference == reference_,
            document.c.entity == entity,
            document.c.state == "delivered",
        )
        return await self.count(rows) > 0


def our_reference(partner: str, number: str) -> str:
    """Return our reference of an order, as every target keeps it."""
    return reference_for(BusinessKey("order", partner, normalise(number)))
