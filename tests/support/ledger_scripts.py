"""Random scripts of deliveries, played on PostgreSQL and on the simulation's tables at once."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from canonical.errors import Rejected
from connectors.base import Settled
from hub.dead_letters.archive import archive
from hub.dead_letters.replay import begin as begin_replay
from hub.ledger import calls, deliveries, recovered, settlements, tables
from hub.ledger.delivery_rows import Answered, Call, Calling, Claim, Ending, Letter, Wanted, Why
from hub.release.holds import Act
from tests.sim import sql_deliver, sql_people
from tests.sim.tables import Row, Store, Transaction

START = datetime(2026, 5, 5, 8, tzinfo=UTC)
_TARGETS = ("erp", "dock")
_ENDS = ("retry", "deferred", "throttled", "in_doubt", "ask_failed", "halted")
_COMPARED: Mapping[str, Sequence[str]] = {
    "delivery": (
        "id", "state", "attempts", "claim_token", "claimed_until", "next_at", "sent_sha256",
        "external_id", "code", "detail", "settled_at",
    ),
    "attempt": ("delivery_id", "n", "outcome", "code", "started_at", "ended_at"),
    "dead_letter": (
        "id", "stage", "delivery_id", "state", "attempts", "replays", "code", "opened_at",
        "closed_at",
    ),
    "document": ("id", "state", "settled_at"),
    "outbox": ("event_id", "subject"),
    "pause": ("target", "until"),
}  # fmt: skip
"""What is compared; not `place`: where two stand in the way, either may be named."""


class Still:
    """A loop that only knows the time, which stands still."""

    def time(self) -> float:
        return 0.0


@dataclass
class Both:
    """A script, and the two ledgers that it is played on."""

    engine: AsyncEngine
    rng: random.Random
    store: Store = field(default_factory=lambda: Store(cast("Any", Still())))
    now: datetime = START
    claims: list[tuple[Claim, Claim]] = field(default_factory=list)
    """In hand: PostgreSQL's and the model's."""
    count: int = 0
    done: list[str] = field(default_factory=list)

    async def begin(self) -> None:
        """Write some orders with their deliveries: versions, followers, other occasions."""
        for key in range(3):
            for version in range(1, self.rng.randint(2, 4)):
                await self._document(f"order/acme/PO-{key}/", f"XD{key}", version)
        await self._document("shipment/acme/S-1/", "XD0", 1)

    async def _document(self, key: str, reference: str, version: int) -> None:
        name = f"{key}v{version}"
        facts = {"direction": "in", "connection": "edi", "partner": "acme", "entity": "order"}
        source = facts | {
            "id": name, "flow": "850", "business_key": key, "content_id": name, "version": version,
            "purpose": "original", "verdict": "accept", "state": "accepted",
            "reference": reference, "created_at": self.now,
        }  # fmt: skip
        rows = [self._delivery(source, "erp", "")]
        if self.rng.random() < 0.5:
            rows.append(self._delivery(source, "dock", "") | {"after_target": "erp"})
        if self.rng.random() < 0.3:
            rows.append(self._delivery(source, "erp", "again"))
        tx = Transaction(self.store)
        tx.add("document", dict(source))
        for row in rows:
            tx.add("delivery", dict(row))
        async with self.engine.begin() as conn:
            await conn.execute(sa.insert(tables.document).values(**source))
            for row in rows:
                await conn.execute(sa.insert(tables.delivery).values(**row))

    def _delivery(self, source: Row, target: str, occasion: str) -> Row:
        self.count += 1
        at = self.now + timedelta(milliseconds=self.count)
        return {
            "id": f"{source['id']}>{target}{occasion}", "document_id": source["id"],
            "target": target, "action": "create", "flow": "f", "occasion": occasion,
            "business_key": source["business_key"], "version": source["version"],
            "state": "pending", "reference": source["reference"], "next_at": at, "created_at": at,
        }  # fmt: skip

    async def step(self) -> None:
        """Do one random thing on both, and let some time pass."""
        self.now += timedelta(seconds=self.rng.choice((0.001, 1.0, 20.0, 60.0)), microseconds=1)
        acts = [self._claim, self._claim, self._hasten, self._people]
        if self.claims:
            acts += [self._call, self._settle, self._settle, self._settle, self._put_back]
        await self.rng.choice(acts)()

    async def _claim(self) -> None:
        self.count += 1
        wanted = Wanted(
            self.rng.choice(_TARGETS),
            f"token-{self.count}",
            self.now + timedelta(seconds=30),
            self.rng.choice((3, 5)),  # which rows of one moment a small limit takes, nobody says
            busy=[one.delivery.business_key for one, _ in self.claims[:1]],
            fresh_only=self.rng.random() < 0.2,
            yielding=self.rng.choice((None, None, 0, 1)),
        )
        async with self.engine.begin() as conn:
            real = await deliveries.claim(conn, wanted, self.now)
        model = await sql_deliver.claim(Transaction(self.store), wanted, self.now)
        self.done.append(f"claim {wanted.target} {wanted.limit}: {len(real.claims)}")
        assert _told(model.claims) == _told(real.claims)
        assert model.waiting == real.waiting
        self.claims += zip(real.claims, model.claims, strict=True)

    async def _call(self) -> None:
        real, model = self.rng.choice(self.claims)
        n = real.delivery.attempts + 1
        call = Call(n, self.now, self.now + timedelta(seconds=25), "sha")
        async with self.engine.begin() as conn:
            begun = await calls.begin(conn, [Calling(real, call)])
        self.done.append(f"begin {real.delivery.id}: {begun}")
        assert await sql_deliver.begin(Transaction(self.store), [Calling(model, call)]) == begun

    async def _settle(self) -> None:
        real, model = self.claims.pop(self.rng.randrange(len(self.claims)))
        n = real.delivery.attempts + 1
        kind = self.rng.choice(("delivered", "later", "later", "dead"))
        why = Why("code", "where", "detail")
        if kind == "delivered":
            ending, settled = Ending(n, "delivered", self.now, self.now), Settled("SO-1")
            async with self.engine.begin() as conn:
                found: Any = await calls.answered(conn, [Answered(real, ending, settled)])
            tx = Transaction(self.store)
            also: Any = await sql_deliver.answered(tx, [Answered(model, ending, settled)])
        elif kind == "later":
            outcome = self.rng.choice(_ENDS)
            ending = Ending(n, outcome, self.now, self.now, why)
            state = "in_doubt" if outcome in ("in_doubt", "ask_failed") else "pending"
            at = self.now + timedelta(seconds=self.rng.choice((5, 100)))
            async with self.engine.begin() as conn:
                found = await settlements.settle_later(conn, real, ending, state, at)
            tx = Transaction(self.store)
            also = await sql_deliver.settle_later(tx, model, ending, state, at)
        else:
            ending, letter = Ending(n, "dead", self.now, self.now, why), Letter("map", "f", None)
            async with self.engine.begin() as conn:
                found = await settlements.settle_dead(conn, real, ending, letter)
            also = await sql_deliver.settle_dead(Transaction(self.store), model, ending, letter)
        self.done.append(f"{kind} {real.delivery.id}: {found}")
        assert also == found

    async def _put_back(self) -> None:
        real, model = self.claims.pop()
        later = self.now + timedelta(seconds=3)
        async with self.engine.begin() as conn:
            await settlements.put_back(conn, [real], self.now, later)
        await sql_deliver.put_back(Transaction(self.store), [model], self.now, later)
        self.done.append(f"put back {real.delivery.id}")

    async def _hasten(self) -> None:
        target = self.rng.choice(_TARGETS)
        tokens = [one.token for one, _ in self.claims]
        until = self.now + timedelta(seconds=40)
        quiet = self.now + timedelta(seconds=self.rng.choice((0, 0, 0, 0, 0, 30)))
        async with self.engine.begin() as conn:
            await settlements.renew(conn, tokens, until)
            waits = await recovered.waiting(conn, target)
            await settlements.leave_alone(conn, target, quiet)
            hastened = await recovered.hasten(conn, target, self.now)
        tx = Transaction(self.store)
        await sql_deliver.renew(tx, tokens, until)
        self.done.append(f"renew and hasten {target}: {hastened}")
        also = await sql_deliver.waiting(tx, target)
        await sql_deliver.leave_alone(tx, target, quiet)
        assert (also and also.id) == (waits and waits.id)
        assert await sql_deliver.hasten(tx, target, self.now) == hastened

    async def _people(self) -> None:
        letters = sorted(self.store.rows("dead_letter"), key=lambda row: str(row["id"]))
        if not letters:
            return
        letter = self.rng.choice(letters)["id"]
        does = self.rng.choice(("replay", "archive"))
        real, model = await self._acted(does, letter), self._modelled(does, letter)
        self.done.append(f"{does} {letter}: {real}")
        assert bool(model) == bool(real)

    async def _acted(self, does: str, letter: str) -> str:
        act = Act("ann", "because", self.now)
        try:
            async with self.engine.begin() as conn:
                await (begin_replay if does == "replay" else archive)(conn, letter, act)
        except Rejected as error:
            return error.code
        return ""

    def _modelled(self, does: str, letter: str) -> str:
        act = sql_people.replay if does == "replay" else sql_people.archive
        try:
            act(Transaction(self.store), letter, self.now)
        except Rejected as error:
            return error.code
        return ""

    async def compare(self) -> None:
        """Demand that both ledgers hold the same rows."""
        async with self.engine.connect() as conn:
            for name, columns in _COMPARED.items():
                table = tables.metadata.tables[name]
                found = await conn.execute(sa.select(*(table.c[each] for each in columns)))
                real = sorted(map(repr, found.all()))
                rows = self.store.rows(name)
                model = sorted(repr(tuple(row[each] for each in columns)) for row in rows)
                assert model == real, f"{name} after {self.done}"


def _told(claims: Sequence[Claim]) -> list[Any]:
    return [
        (one.delivery.id, one.delivery.state, one.delivery.attempts, one.token, one.tries)
        for one in claims
    ]
