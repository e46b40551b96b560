"""What is old and at rest goes, what waits for somebody stays, and the audit trail says so and holds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from canonical.errors import Rejected
from hub.archive import Archive
from hub.ledger import audit, exchanges, keys, retention
from hub.ledger.engine import LONG_SECONDS, open_engine
from hub.ledger.exchanges import Answer, Key
from hub.ledger.tables import audit as audit_table
from hub.ledger.tables import document, exchange, hold, key_head, receipt
from hub.pruning import Pruner, Wish
from hub.servers.addresses import Addresses
from hub.settings.model import Retention
from tests.support.ledgers import Dock, change, dock, normalized, order
from tests.support.site_file import command, environment, write_site

NOW = datetime.now(UTC)
YEARS = timedelta(days=800)
WISH = Wish("ann", "the law allows it")
ALL = Retention(archive_days=30, documents_days=365, exchanges_days=30, audit_days=365)


@dataclass(frozen=True)
class Later:
    """A clock that shows a later day."""

    by: timedelta = YEARS

    def now(self) -> datetime:
        return NOW + self.by

    def monotonic(self) -> float:
        return 0.0


@pytest.fixture
async def at(addresses: Addresses, tmp_path: Path) -> AsyncIterator[Dock]:
    async with dock(addresses, tmp_path) as opened:
        await opened.stock()
        yield opened


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slices so small that everything takes several."""
    for name in ("_MOST", "_MOST_LOOSE", "_MOST_PAGES"):
        monkeypatch.setattr(retention, name, 1)


def pruner(at: Dock, folder: Path, settings: Retention = ALL, by: timedelta = YEARS) -> Pruner:
    return Pruner(at.engine, Archive(folder / "archive"), settings, Later(by))


async def settle(at: Dock, number: str) -> None:
    """Let an order and its deliveries be done."""
    async with at.engine.begin() as ledger:
        for statement in (
            "UPDATE delivery SET state = 'delivered', settled_at = now() FROM document AS d"
            " WHERE d.id = delivery.document_id AND d.number = $1",
            "UPDATE document SET state = 'delivered', settled_at = now() WHERE number = $1",
        ):
            await ledger.exec_driver_sql(statement, (number,))


async def numbers(at: Dock) -> set[str]:
    return {row["number"] for row in await at.rows(document) if row["entity"] != "item"}


async def test_an_order_that_is_done_goes_with_all_that_is_its_and_one_that_is_not_stays(
    at: Dock, tmp_path: Path
) -> None:
    await at.take_in(normalized("order", order("PO-DONE")))
    await at.take_in(normalized("order", order("PO-OPEN", "3")))
    await settle(at, "PO-DONE")
    found = await pruner(at, tmp_path).prune(WISH)
    assert "PO-OPEN" in await numbers(at)
    assert "PO-DONE" not in await numbers(at)
    assert found["documents"] == 1
    for table in ("delivery", "receipt", "document"):
        async with at.engine.connect() as ledger:
            left = await ledger.exec_driver_sql(f"SELECT * FROM {table}")  # noqa: S608
            assert "PO-DONE" not in str(left.all())


async def test_a_run_that_is_stopped_has_done_a_part_and_the_next_goes_on(
    at: Dock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        await at.take_in(normalized("order", order(f"PO-{number}", str(number + 2))))
        await settle(at, f"PO-{number}")
    append, told = audit.append, list[audit.Entry]()

    async def stopped(ledger: AsyncConnection, entry: audit.Entry, now: datetime) -> None:
        if told:
            raise OSError("the run is stopped")
        told.append(entry)
        await append(ledger, entry, now)

    monkeypatch.setattr(audit, "append", stopped)
    with pytest.raises(OSError, match="stopped"):
        await pruner(at, tmp_path).prune(WISH)
    left = await numbers(at)
    assert 0 < len(left) < 4
    assert len(await at.rows(audit_table)) == 1
    monkeypatch.undo()
    assert (await pruner(at, tmp_path).prune(WISH))["documents"] == len(left)
    assert await numbers(at) == set()
    assert await verified(at) is None


async def test_a_long_job_is_ended_by_the_limit_of_its_transaction_alone(database: str) -> None:
    impatient, patient = open_engine(database, command_seconds=0.1), open_engine(database)
    try:
        for engine, ends in ((impatient, pytest.raises(TimeoutError)), (patient, nullcontext())):
            with ends:
                async with engine.connect() as ledger:
                    await retention.begin(ledger)
                    await ledger.exec_driver_sql("SELECT pg_sleep(0.5)")
    finally:
        await impatient.dispose()
        await patient.dispose()
    assert LONG_SECONDS > 30 * 60  # what `retention.begin` allows


async def test_the_number_of_an_order_that_went_can_be_used_again(at: Dock, tmp_path: Path) -> None:
    kept = await at.take_in(normalized("order", order("PO-OPEN", "3")))
    await at.take_in(normalized("order", order("PO-DONE")))
    await settle(at, "PO-DONE")
    await pruner(at, tmp_path).prune(WISH)
    keys_left = {row["business_key"] for row in await at.rows(key_head)}
    assert keys_left == {row["business_key"] for row in await at.rows(document)}
    again = await at.take_in(normalized("order", order("PO-DONE")), body=b"again")
    other = await at.take_in(normalized("order", order("PO-OPEN", "3")), body=b"the same")
    found = {row["receipt_id"]: row for row in await at.rows(document)}
    assert (found[again.id]["verdict"], found[again.id]["version"]) == ("accept", 1)
    assert found[other.id]["verdict"] == "duplicate"
    assert found[kept.id]["version"] == 1


async def test_a_verdict_that_waited_for_a_key_that_went_finds_it_new(at: Dock) -> None:
    await at.take_in(normalized("order", order("PO-DONE")))
    (key,) = {row["business_key"] for row in await at.rows(document) if row["number"] == "PO-DONE"}

    async def verdict() -> dict[str, keys.KeyState]:
        async with at.engine.begin() as ledger:
            return await keys.lock(ledger, [key], NOW)

    async with at.engine.begin() as ledger:
        await ledger.exec_driver_sql("SELECT 1 FROM key_head FOR UPDATE")
        waiting = asyncio.create_task(verdict())
        await until_waiting(at)
        await ledger.execute(sa.delete(key_head).where(key_head.c.business_key == key))
        await ledger.execute(sa.update(document).values(business_key="another"))
    assert await waiting == {key: keys.KeyState()}


async def until_waiting(at: Dock) -> None:
    """Return once a statement waits for the lock of a row of this ledger."""
    query = (
        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database()"
        " AND wait_event_type = 'Lock'"
    )
    async with asyncio.timeout(20), at.engine.connect() as ledger:
        while not (await ledger.exec_driver_sql(query)).first():
            await ledger.rollback()
            await asyncio.sleep(0.01)


async def test_a_dry_run_counts_the_same_and_lets_nothing_go(at: Dock, tmp_path: Path) -> None:
    await at.take_in(normalized("order", order("PO-DONE")))
    await settle(at, "PO-DONE")
    before = [await at.rows(table) for table in (document, receipt, audit_table)]
    packs = sorted((tmp_path / "archive").iterdir())
    counted = await pruner(at, tmp_path).prune(Wish("ann", "to see", dry_run=True))
    assert [await at.rows(table) for table in (document, receipt, audit_table)] == before
    assert sorted((tmp_path / "archive").iterdir()) == packs
    assert counted == await pruner(at, tmp_path).prune(WISH)


async def test_nothing_of_an_order_goes_while_a_part_of_it_is_young_or_open(
    at: Dock, tmp_path: Path
) -> None:
    await at.take_in(normalized("order", order("PO-1")))
    await at.take_in(normalized("order_change", change("PO-1")))
    await settle(at, "PO-1")
    async with at.engine.begin() as ledger:
        await ledger.execute(
            sa.update(document).where(document.c.entity == "order_change").values(state="held")
        )
    await pruner(at, tmp_path).prune(WISH)
    assert len([row for row in await at.rows(document) if row["number"] == "PO-1"]) == 2
    await settle(at, "PO-1")
    await pruner(at, tmp_path, by=timedelta(days=300)).prune(WISH)
    assert len([row for row in await at.rows(document) if row["number"] == "PO-1"]) == 2
    await pruner(at, tmp_path).prune(WISH)
    assert "PO-1" not in await numbers(at)


async def test_an_order_stays_as_long_as_its_event_waits_to_be_published(
    at: Dock, tmp_path: Path
) -> None:
    came = at.receipt(normalized("order", order("PO-1")))
    decided = await at.pipeline.decide(await at.pipeline.read([came]))
    await settle(at, "PO-1")
    await pruner(at, tmp_path).prune(WISH)
    assert "PO-1" in await numbers(at)
    await at.pipeline.publish(decided)
    await pruner(at, tmp_path).prune(WISH)
    assert "PO-1" not in await numbers(at)


async def test_bytes_go_by_the_pack_and_never_while_one_of_them_is_waited_for(
    at: Dock, tmp_path: Path
) -> None:
    archive = Archive(tmp_path / "archive")
    orphan = await at.take_in(normalized("order_change", change("PO-NONE")), body=b"waits")
    (held,) = await at.rows(hold)
    only = Retention(archive_days=30)
    assert await pruner(at, tmp_path, only).prune(WISH) == {"packs": 0}
    place = next(row["archive"] for row in await at.rows(receipt) if row["id"] == orphan.id)
    assert archive.read(place) == b"waits"
    async with at.engine.begin() as ledger:
        await ledger.execute(
            sa.update(hold).where(hold.c.id == held["id"]).values(state="rejected")
        )
        await ledger.execute(sa.update(document).values(state="rejected"))
    assert await pruner(at, tmp_path, only, timedelta(days=29)).prune(WISH) == {"packs": 0}
    assert (await pruner(at, tmp_path, only).prune(WISH))["packs"] >= 1
    assert list((tmp_path / "archive").iterdir()) == []
    (place,) = {row["archive"] for row in await at.rows(receipt)}
    with pytest.raises(Rejected, match="archive_pruned"):
        archive.read(place)
    assert await pruner(at, tmp_path, only).prune(WISH) == {"packs": 0}


async def test_message_ids_are_forgotten_once_nothing_is_owed_for_them(
    at: Dock, tmp_path: Path
) -> None:
    given = Answer({}, b"receipt")
    async with at.engine.begin() as ledger:
        for name in ("done", "owed"):
            key = Key("acme-edi", "in", name)
            await exchanges.begin(ledger, key, "0", "r", NOW)
            await exchanges.answer(ledger, key, given, NOW)
        await exchanges.owe(ledger, Key("acme-edi", "in", "owed"), "https://them", NOW)
    only = Retention(exchanges_days=30)
    assert await pruner(at, tmp_path, only, timedelta(days=29)).prune(WISH) == {"exchanges": 0}
    assert await pruner(at, tmp_path, only).prune(WISH) == {"exchanges": 1}
    assert [row["name"] for row in await at.rows(exchange)] == ["owed"]


async def verified(at: Dock) -> audit.Broken | None:
    async with at.engine.connect() as ledger:
        return await audit.verify(ledger)


async def act(at: Dock, count: int, moment: datetime) -> None:
    async with at.engine.begin() as ledger:
        entries = [audit.Entry("ann", "test", f"d-{n}", "why") for n in range(count)]
        await audit.append_all(ledger, entries, moment)


async def test_the_audit_trail_holds_after_its_old_rows_went_and_says_which(
    at: Dock, tmp_path: Path
) -> None:
    await act(at, 3, NOW)
    await act(at, 2, NOW + YEARS)
    only = Retention(audit_days=365)
    assert await pruner(at, tmp_path, only).prune(WISH) == {"audit": 3}
    assert await verified(at) is None
    rows = sorted(await at.rows(audit_table), key=lambda row: row["seq"])
    assert [row["seq"] for row in rows] == [4, 5, 6]
    assert (rows[-1]["actor"], rows[-1]["action"], rows[-1]["reason"]) == (
        "ann", "ledger.prune", "the law allows it",
    )  # fmt: skip
    assert rows[-1]["after"]["audit"]["upto"] == 3
    assert await pruner(at, tmp_path, only, 2 * YEARS).prune(WISH) == {"audit": 2}
    assert await verified(at) is None
    assert await pruner(at, tmp_path, only, 3 * YEARS).prune(WISH) == {"audit": 1}
    assert await verified(at) is None


@pytest.mark.parametrize(
    ("statement", "seq"),
    [
        ("DELETE FROM audit WHERE seq = 4", 4),
        ("UPDATE audit SET actor = 'bob' WHERE seq = 6", 6),
        ("UPDATE audit SET after = jsonb_set(after, '{audit,upto}', '4') WHERE seq = 6", 5),
        ("DELETE FROM audit WHERE seq = 6", 1),
    ],
)
async def test_a_pruned_trail_that_was_tampered_with_is_told(
    at: Dock, tmp_path: Path, statement: str, seq: int
) -> None:
    await act(at, 3, NOW)
    await act(at, 2, NOW + YEARS)
    await pruner(at, tmp_path, Retention(audit_days=365)).prune(WISH)
    async with at.engine.begin() as ledger:
        await ledger.exec_driver_sql(statement)
    broken = await verified(at)
    assert broken is not None
    assert broken.seq == seq


async def test_without_settings_nothing_ever_goes(at: Dock, tmp_path: Path) -> None:
    await at.take_in(normalized("order", order("PO-DONE")))
    await settle(at, "PO-DONE")
    assert await pruner(at, tmp_path, Retention(), 10 * YEARS).prune(WISH) == {}
    assert "PO-DONE" in await numbers(at)
    assert await at.rows(audit_table) == []


async def test_the_command_tells_what_would_go(
    addresses: Addresses, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment(addresses).items():
        monkeypatch.setenv(name, value)
    retention: dict[str, Any] = {"archive_days": 1, "exchanges_days": 30}
    site = write_site(tmp_path, retention=retention)
    old = tmp_path / "archive" / "2020-01-01-00.zst"
    old.parent.mkdir()
    old.write_bytes(b"")
    said = await command(site, "ledger", "prune", "--dry-run", "--output", "json")
    assert (said.exit_code, '"packs"' in said.stdout, old.exists()) == (0, True, True)
    said = await command(site, "ledger", "prune", "--reason", "old", "--output", "json")
    assert (said.exit_code, old.exists()) == (0, False)
    said = await command(site, "ledger", "prune")
    assert (said.exit_code, "nothing is older" in said.stderr) == (3, True)
    said = await command(write_site(tmp_path), "ledger", "prune")
    assert (said.exit_code, "retention is off" in said.stderr) == (3, True)
