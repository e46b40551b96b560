"""`crossdock map diff` and `map promote` on a real ledger and archive, with real workers."""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine
from typer.testing import Result

from canonical.errors import ConfigError, Rejected
from connectors.registry import CONNECTORS
from hub.archive import Archive
from hub.ledger import bulk
from hub.ledger.engine import open_engine
from hub.ledger.tables import audit, receipt
from hub.mapping.files import mapping_files, shipped_mappings
from hub.mapping.misnamed import misnamed
from hub.mapping_changes.comparison import Candidate, Store, candidate, compare
from hub.mapping_changes.promotion import KEPT, install, kept_versions, own_folder, prove
from hub.mapping_changes.stored import Chosen, count
from hub.mapping_changes.tally import Tally
from hub.servers.addresses import Addresses
from hub.settings.model import Site
from tests.bench.orders import RECEIVED_AT, receipts
from tests.bench.site import site
from tests.support.site_file import command, environment, write_site

ORDERS = 420
SINCE = RECEIVED_AT - timedelta(days=1)
OLD = '"ordered_on": $parse_date(heading.BEG.BEG05, "CCYYMMDD"),'


@dataclass(frozen=True)
class World:
    store: Store
    site: Site
    folder: Path

    def offered(self, new: str) -> Candidate:
        """The 850 mapping with another date."""
        path = self.folder / "x12" / "850.order.jsonata"
        path.parent.mkdir(parents=True, exist_ok=True)
        text = (shipped_mappings() / "x12" / path.name).read_text()
        assert OLD in text
        path.write_text(text.replace(OLD, new))
        return candidate(self.site, self.folder)

    async def compared(self, offered: Candidate, most: int | None = None) -> Tally:
        tally = Tally()
        done: list[int] = []
        chosen = Chosen(SINCE, offered.connections, most)
        unreadable = await compare(self.store, self.site, (offered, chosen), tally, done.append)
        assert sum(done) == await count(self.store.engine, chosen) == tally.receipts + unreadable
        return tally


@pytest.fixture
async def world(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[World]:
    monkeypatch.setenv("CROSSDOCK_BENCH_SECRET", "no-secret-is-used-here")
    engine, archive = open_engine(database), Archive(tmp_path / "archive")
    taken = list(receipts(0, ORDERS))
    places = archive.keep([each.body for each in taken], RECEIVED_AT)
    rows = [_row(each.id, each.body, place) for each, place in zip(taken, places, strict=True)]
    async with engine.begin() as ledger:
        await bulk.copy(ledger, receipt, rows)
    yield World(Store(engine, archive), site(2), tmp_path / "candidate")
    archive.close()
    await engine.dispose()


def _row(name: str, body: bytes, place: str) -> dict[str, object]:
    return {
        "id": name,
        "connection": "acme-edi",
        "partner": "acme",
        "delivery_id": name,
        "sha256": "",
        "size": len(body),
        "content_type": "application/edi-x12",
        "flow": "",
        "facts": "{}",
        "archive": place,
        "received_at": RECEIVED_AT,
        "decided_at": datetime.now(UTC),
    }


async def test_what_a_candidate_changes_is_counted_by_field(world: World) -> None:
    tally = await world.compared(world.offered('"ordered_on": "2020-01-01",'))
    (row,) = tally.rows()
    assert (row["partner"], row["where"], row["documents"]) == ("acme", "ordered_on", ORDERS)
    assert (tally.receipts, tally.documents, tally.different) == (ORDERS, ORDERS, ORDERS)


async def test_failures_that_a_candidate_brings_are_told(world: World) -> None:
    tally = await world.compared(world.offered('"ordered_on": $fail("moon", "x", "y"),'), most=30)
    (row,) = tally.rows()
    assert (row["what"], row["where"], row["documents"]) == ("failure_gained", "moon", 30)


async def test_a_candidate_that_is_the_same_has_nothing_to_compare(world: World) -> None:
    assert world.offered(OLD).files == ()


async def test_receipts_that_the_archive_lost_are_counted_apart(world: World) -> None:
    world.store.archive.close()
    for pack in (world.folder.parent / "archive").rglob("*"):
        if pack.is_file():
            pack.write_bytes(b"")
    tally = await world.compared(world.offered('"ordered_on": "2020-01-01",'))
    assert tally.receipts == 0


async def test_a_folder_without_mappings_is_refused(world: World) -> None:
    world.folder.mkdir()
    with pytest.raises(ConfigError, match="mapping_missing"):
        candidate(world.site, world.folder)


def test_a_promoted_mapping_is_used_and_every_version_is_kept(tmp_path: Path) -> None:
    own = tmp_path / "own"
    given = site(1).model_copy(update={"mappings": own})
    world = World(Store.__new__(Store), given, tmp_path / "candidate")
    first = world.offered('"ordered_on": "2020-01-01",')
    install(own, first.files)
    assert world.offered('"ordered_on": "2020-01-01",').files == ()
    second = world.offered('"ordered_on": "2020-01-02",')
    in_use = {file.name: file.version for file in second.before.mappings}
    assert in_use["mappings/x12/850.order.jsonata"] == first.files[0].version
    install(own, second.files)
    assert len(list(kept_versions(own))) == 2
    with pytest.raises(ConfigError, match="mappings_unset"):
        own_folder(None)


def test_a_mapping_whose_worked_cases_fail_is_not_promoted(tmp_path: Path) -> None:
    name = "850.order.cases"
    world = World(Store.__new__(Store), site(1), tmp_path)
    offered = world.offered('"ordered_on": "2020-01-01",')
    shutil.copytree(shipped_mappings() / "x12" / name, tmp_path / "x12" / name)
    with pytest.raises(Rejected, match="mapping_unsound"):
        prove(offered.files, site(1))
    prove(world.offered(OLD + " ").files, site(1))


def test_a_mapping_without_cases_is_held_to_those_of_the_shipped_one(tmp_path: Path) -> None:
    offered = World(Store.__new__(Store), site(1), tmp_path).offered('"ordered_on": "2020-01-01",')
    with pytest.raises(Rejected, match="of the shipped mapping"):
        prove(offered.files, site(1))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("shopfy/850.order", "did you mean `shopify`"),
        ("x12/851.order", "x12 reads no such flow"),
        ("x12/order.941", "x12 writes no such flow"),
    ],
)
def test_a_mapping_that_nothing_would_run_is_not_promoted(
    tmp_path: Path, name: str, words: str
) -> None:
    path = tmp_path / f"{name}.jsonata"
    path.parent.mkdir()
    path.write_text("{}")
    with pytest.raises(Rejected, match="mapping_unsound") as refused:
        prove(candidate(site(1), tmp_path).files, site(1))
    assert words in str(refused.value)


def test_every_shipped_mapping_is_one_that_something_runs() -> None:
    files = list(mapping_files(shipped_mappings()))
    assert [file.name for file in files if misnamed(file, CONNECTORS)] == []


@pytest.fixture
async def promoting(
    addresses: Addresses, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[AsyncEngine, Callable[..., Awaitable[Result]]]]:
    """The ledger, and the command that promotes a candidate into ``own``."""
    for name, value in environment(addresses).items():
        monkeypatch.setenv(name, value)
    World(Store.__new__(Store), site(1), tmp_path / "new").offered(OLD + " ")
    acme = site(1).connections["acme-edi"].model_dump(mode="json", exclude_unset=True)
    acme["transport"] = {"kind": "folder", "inbox": str(tmp_path / "in")}
    path = write_site(tmp_path, mappings=str(tmp_path / "own"), connections={"acme-edi": acme})
    words = ("map", "promote", "--candidate", str(tmp_path / "new"), "--reason", "it is better")
    engine = open_engine(addresses.database_url)
    yield engine, lambda *more: command(path, *words, *more)
    await engine.dispose()


async def promotions(engine: AsyncEngine) -> list[str]:
    async with engine.connect() as ledger:
        return list(await ledger.scalars(sa.select(audit.c.action).order_by(audit.c.seq)))


async def test_a_promotion_is_on_record(promoting: Any, tmp_path: Path) -> None:
    engine, promote = promoting
    assert (await promote()).exit_code == 0
    assert (tmp_path / "own" / "x12" / "850.order.jsonata").is_file()
    assert await promotions(engine) == ["map.promote"]


async def test_what_breaks_documents_that_are_mapped_today_is_promoted_only_if_it_is_said(
    promoting: Any, tmp_path: Path
) -> None:
    engine, promote = promoting
    archive = Archive(tmp_path / "archive")
    (taken,) = receipts(0, 1)
    (place,) = archive.keep([taken.body], RECEIVED_AT)
    archive.close()
    async with engine.begin() as ledger:
        await bulk.copy(ledger, receipt, [_row(taken.id, taken.body, place)])
    fails = World(Store.__new__(Store), site(1), tmp_path / "new")
    fails.offered('"ordered_on": $fail("moon", "x", "y"),')
    cases = tmp_path / "new" / "x12" / "850.order.cases"
    cases.mkdir()
    shipped = next((shipped_mappings() / "x12" / cases.name).glob("*.json"))
    case = {"why": "a", "input": json.loads(shipped.read_text())["input"]}
    case["expect_error"] = {"code": "moon"}
    refused = await promote("--since", "2000-01-01")
    assert (refused.exit_code, "mapping_unsound" in refused.output) == (4, True)
    (cases / "moon.json").write_text(json.dumps(case))
    refused = await promote("--since", "2000-01-01")
    assert (refused.exit_code, "mapping_breaks" in refused.output) == (4, True), refused.output
    assert not (tmp_path / "own").exists()
    assert await promotions(engine) == []
    said = await promote("--since", "2000-01-01", "--allow-failures", "--by", "ann")
    assert said.exit_code == 0, said.output
    assert (tmp_path / "own" / "x12" / "850.order.jsonata").is_file()


async def test_nothing_is_promoted_that_cannot_be_put_on_record(
    promoting: Any, tmp_path: Path
) -> None:
    engine, promote = promoting
    async with engine.begin() as ledger:
        await ledger.exec_driver_sql("ALTER TABLE audit ADD CHECK (action = '') NOT VALID")
    assert (await promote()).exit_code != 0
    assert not (tmp_path / "own").exists()


async def test_mappings_that_could_not_be_written_are_on_record_as_not_promoted(
    promoting: Any, tmp_path: Path
) -> None:
    engine, promote = promoting
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / KEPT).write_text("in the way of a folder")
    said = await promote()
    assert "mapping_unwritable" in said.output
    assert await promotions(engine) == ["map.promote", "map.promote_failed"]
