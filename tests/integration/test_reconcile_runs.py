"""Runs of reconciliation after one another: late documents, clocks, healing, people's decisions."""

from __future__ import annotations

import asyncio
import csv
import json
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.jobs import Housekeeping
from hub.ledger.engine import open_engine
from hub.ledger.tables import audit, confirmation, delivery, finding
from hub.reconcile.runner import JOBS, Reconciler
from hub.servers.addresses import Addresses
from hub.telemetry.metrics import Metrics
from tests.support.planted import NOW, SITE, World, build
from tests.support.site_file import command, environment, write_site

DAY = timedelta(days=1)


class At:
    """A clock that a test moves; it never shows a moment twice."""

    def __init__(self) -> None:
        self.moment = NOW

    def now(self) -> datetime:
        self.moment += timedelta(microseconds=1)
        return self.moment

    def monotonic(self) -> float:
        return 0.0


class Desk:
    """A ledger, a clock and a reconciler whose sweeps are rare."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self.clock = At()
        self.shown = Metrics()

    def reconciler(self, **changes: Any) -> Reconciler:
        given = {"sweep_every_seconds": 1e9, "heal": True} | changes
        rules = SITE.reconcile.model_copy(update=given)
        return Reconciler(self.engine, SITE.model_copy(update={"reconcile": rules}), self.clock)

    async def write(self, world: World) -> None:
        async with self.engine.begin() as ledger:
            await world.rows.write(ledger)
        world.rows.by_table = {name: [] for name in world.rows.by_table}

    async def execute(self, statement: sa.Executable) -> None:
        async with self.engine.begin() as ledger:
            await ledger.execute(statement)

    async def rows(self, table: sa.Table) -> list[Mapping[str, Any]]:
        async with self.engine.connect() as ledger:
            return [dict(row) for row in (await ledger.execute(sa.select(table))).mappings()]

    async def metrics(self) -> str:
        """What `/metrics` shows once the gauges are set."""
        await Housekeeping(None, self.engine, self.shown).count_open()  # type: ignore[arg-type]  # asks no NATS
        return self.shown.text().decode()

    async def state(self, job: str) -> list[str]:
        return [row["state"] for row in await self.rows(finding) if row["job"] == job]


@pytest.fixture
async def at(database: str) -> AsyncIterator[Desk]:
    engine = open_engine(database)
    yield Desk(engine)
    await engine.dispose()


@pytest.fixture
def world() -> World:
    return build(0, 0, (), ())


async def test_a_document_that_comes_late_closes_what_was_found(at: Desk, world: World) -> None:
    story = world.story().created().shipped(24)
    await at.write(world)
    await at.reconciler().run_all()
    assert await at.state("ship-not-invoiced") == ["healing"]
    at.clock.moment = NOW + DAY
    story.billed(24, age=-DAY)
    await at.write(world)
    reports = {each.job: each for each in await at.reconciler().run_all()}
    assert (reports["ship-not-invoiced"].closed, reports["ship-not-invoiced"].sweep) == (1, False)


async def test_a_clock_that_runs_out_between_two_runs_is_not_missed(at: Desk, world: World) -> None:
    world.story().created().shipped(24, age=timedelta(hours=23, minutes=50))
    await at.write(world)
    await at.reconciler().run_all()
    assert await at.rows(finding) == []
    for _ in range(4):
        at.clock.moment += timedelta(minutes=5)
        reports = await at.reconciler(heal=False).run_all()
    assert await at.state("ship-not-invoiced") == ["open"]
    assert not reports[0].sweep


async def test_a_day_to_ship_that_comes_between_two_runs_is_not_missed(
    at: Desk, world: World
) -> None:
    world.story(ship_by=NOW, age=60 * DAY).created()
    await at.write(world)
    for _ in range(5):
        await at.reconciler().run_all()
        at.clock.moment += DAY
    assert await at.state("not-shipped-by-date") == ["open"]


async def test_what_nobody_acknowledged_is_sent_again_until_the_receiver_says_yes(
    at: Desk, world: World
) -> None:
    story = world.story().created()
    story.sent(age=3 * DAY)
    await at.write(world)
    reconciler = at.reconciler(resend_flows=("940",))
    await reconciler.run("acknowledgement-overdue")
    (again,) = [row for row in await at.rows(delivery) if row["occasion"] == "resend-1"]
    assert (again["state"], again["flow"], again["target"]) == ("pending", "940", "lakeside")
    assert again["reference"] == f"XD{story.n}"  # under which its control numbers are kept

    await at.execute(
        sa.update(delivery)
        .where(delivery.c.id == again["id"])
        .values(state="delivered", settled_at=NOW)
    )
    assert (await reconciler.run("acknowledgement-overdue")).closed == 0  # sent, not acknowledged

    said = {"id": "c", "connection": "lakeside", "number": 1, "flow": "997", "at": NOW}
    await at.execute(
        sa.insert(confirmation).values(
            **said, state="accepted", reasons=[], document_id="d", delivery_id=again["id"]
        )
    )
    assert (await reconciler.run("acknowledgement-overdue")).closed == 1


async def test_a_receipt_of_the_envelope_alone_is_no_acknowledgement(
    at: Desk, world: World
) -> None:
    world.story().created().sent(age=3 * DAY, said="received", said_age=2 * DAY)
    await at.write(world)
    await at.reconciler().run("acknowledgement-overdue")
    assert await at.state("acknowledgement-overdue") == ["open"]


async def test_a_skipped_number_is_a_finding_after_its_grace_and_closes_when_it_comes(
    at: Desk, world: World
) -> None:
    subject = world.interchange(skip=2)
    world.rows.by_table["interchange"][-1]["received_at"] = NOW - timedelta(hours=23, minutes=58)
    await at.write(world)
    reconciler = at.reconciler()
    assert (await reconciler.run("interchange-gap")).found == 0
    at.clock.moment += timedelta(minutes=5)
    assert (await reconciler.run("interchange-gap")).opened == 1
    (row,) = await at.rows(finding)
    assert (row["subject"], row["partner"], row["owner"]) == (subject, "acme", "edi")
    assert row["details"] == {"first": "1000", "last": "1001", "missing": "2"}
    connection = subject.split("/")[1]
    metric = f'crossdock_interchange_numbers_missing{{connection="{connection}"}}'
    assert f"{metric} 2.0" in await at.metrics()
    for number, closed in ((1000, 0), (1001, 1)):
        world.interchanges = number - 1
        world.interchange()
        world.rows.by_table["interchange"][-1]["received_at"] = at.clock.now()
        await at.write(world)
        at.clock.moment += timedelta(minutes=5)
        assert (await reconciler.run("interchange-gap")).closed == closed
        assert (f"{metric} 1.0" in await at.metrics()) is not bool(closed)
    assert "numbers_missing{" not in await at.metrics()


async def test_what_policy_does_not_name_is_not_sent_again(at: Desk, world: World) -> None:
    world.story().created().sent(age=3 * DAY)
    await at.write(world)
    report = await at.reconciler().run("acknowledgement-overdue")
    assert (report.found, report.healing) == (1, 0)
    assert await at.state("acknowledgement-overdue") == ["open"]


async def test_after_three_redrives_the_finding_is_for_a_person(at: Desk, world: World) -> None:
    world.story().created().shipped(24)
    await at.write(world)
    for _ in range(5):
        await at.reconciler().run("ship-not-invoiced")
        await at.execute(
            sa.update(delivery)
            .where(delivery.c.action == "invoice_shipment")
            .values(state="delivered", settled_at=NOW)
        )
    (found,) = await at.rows(finding)
    assert (found["state"], found["redrives"]) == ("open", 3)


async def test_two_replicas_at_once_open_one_finding_and_drive_it_once(
    at: Desk, world: World
) -> None:
    world.story().created().shipped(24)
    await at.write(world)
    reports = await asyncio.gather(*(at.reconciler().run("ship-not-invoiced") for _ in range(3)))
    assert sorted(report.opened for report in reports) in ([0, 0, 1], [1, 1, 1])
    assert len(await at.rows(finding)) == 1
    assert len([row for row in await at.rows(delivery) if row["occasion"]]) == 1


async def test_a_target_s_newer_list_closes_what_the_older_one_opened(
    at: Desk, world: World, addresses: Addresses, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    story = world.story().created(listed=False)
    await at.write(world)
    for name, value in environment(addresses).items():
        monkeypatch.setenv(name, value)
    site = write_site(tmp_path)
    await at.execute(sa.update(delivery).values(target="acme-edi"))
    listed = tmp_path / "orders.csv"
    period = ("--since", "2026-01-01", "--until", "2026-06-01")
    load = ("reconcile", "statement", "acme-edi", str(listed), "--action", "create_order", *period)
    for body, states in (("external_id\n", ["open"]), (f"external_id\nSO-{story.n}\n", ["closed"])):
        listed.write_text(body)
        assert (await command(site, *load)).exit_code == 0
        result = await command(site, "reconcile", "run", "ledger-vs-target", "-o", "json")
        assert result.exit_code == 0
        assert await at.state("ledger-vs-target") == states
    listed.write_text("number\n1\n")
    assert (await command(site, *load)).exit_code == 4


@pytest.fixture
async def site(
    at: Desk, world: World, addresses: Addresses, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A site whose ledger has one order that was never billed, told as if it were today."""
    for name, value in environment(addresses).items():
        monkeypatch.setenv(name, value)
    age = NOW - datetime.now(UTC) + 3 * DAY
    world.story(age=age + DAY).created().shipped(24, age=age)
    await at.write(world)
    return write_site(tmp_path, reconcile={"heal": False})


async def test_the_commands_run_report_assign_and_accept(
    at: Desk, site: Path, tmp_path: Path
) -> None:
    result = await command(site, "reconcile", "run", "--sweep", "--output", "json")
    assert result.exit_code == 0, result.output
    ran = json.loads(result.stdout)
    assert [each["job"] for each in ran["reports"]] == list(JOBS)
    (found,) = ran["findings"]
    assert (found["amount"], found["owner"], found["age"]) == ("60", "billing", "3d 0h")

    act = (found["id"][:8], "--reason", "knows the customer", "--by", "ann")
    result = await command(site, "reconcile", "assign", *act, "--owner", "bob")
    assert result.exit_code == 0, result.output
    assert (await command(site, "reconcile", "accept", *act)).exit_code == 0
    assert (await command(site, "reconcile", "run")).exit_code == 0
    (kept,) = await at.rows(finding)
    assert (kept["state"], kept["owner"], kept["redrives"]) == ("accepted", "bob", 0)
    acts = [(row["actor"], row["action"], row["reason"]) for row in await at.rows(audit)]
    assert acts == [
        ("ann", "finding.assign", "knows the customer"),
        ("ann", "finding.accept", "knows the customer"),
    ]

    page, table = tmp_path / "page.html", tmp_path / "table.csv"
    none = await command(site, "reconcile", "report")  # accepted is not open
    assert (none.exit_code, none.stderr) == (3, "no finding matches (open; see --state)\n")
    every = await command(site, "reconcile", "report", "--state", "all")
    assert (every.exit_code, found["id"][:8] in every.stdout) == (0, True)
    assert found["id"][:9] not in every.stdout
    report = ("reconcile", "report", "--state", "accepted")
    assert (await command(site, *report, "-o", "html", "--to", str(page))).exit_code == 0
    assert "<svg" in page.read_text()
    assert (await command(site, *report, "-o", "csv", "--to", str(table))).exit_code == 0
    with table.open(newline="") as lines:
        (row,) = csv.DictReader(lines)
    assert Decimal(row["amount"]) == 60
    assert "By partner" in (await command(site, *report)).stdout
    summary = json.loads((await command(site, *report, "-o", "json")).stdout)["summary"]
    assert summary["by_owner"] == [
        {"name": "bob", "count": 1, "money": {"USD": "60"}, "unpriced": 0}
    ]
    runs = json.loads((await command(site, "reconcile", "jobs", "-o", "json")).stdout)
    assert {each["job"] for each in runs} == set(JOBS)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("edi gaps", "no number is missing"),
        ("edi acks", "nothing that was sent matches"),
        ("deliveries --state in_doubt", "no delivery matches"),
        ("deliveries --target acme-deI", "target_unknown at acme-deI: no connection has this name"),
        ("documents --state rejected", "no document matches"),
        ("reconcile report --job double-entry", "no finding matches (open; see --state)"),
    ],
)
async def test_a_list_without_anything_says_so_and_ends_with_its_code(
    site: Path, words: str, told: str
) -> None:
    shown = await command(site, *words.split())
    assert (shown.exit_code, shown.stdout) == (3, "")
    assert told in shown.stderr


async def test_what_commands_want_the_id_of_is_listed_with_its_first_characters(
    at: Desk, site: Path
) -> None:
    await at.execute(sa.update(delivery).values(state="in_doubt", target="acme-edi"))
    (sent, *_) = await at.rows(delivery)
    trace = await command(site, "trace", sent["reference"])
    for shown in (trace, await command(site, "deliveries")):
        assert (sent["id"][:8] in shown.stdout, sent["id"] in shown.stdout) == (True, False)


async def test_nothing_found_is_an_empty_list_for_programs(site: Path) -> None:
    shown = await command(site, "deliveries", "--state", "in_doubt", "-o", "json")
    assert (shown.exit_code, json.loads(shown.stdout)) == (3, [])


async def test_a_finding_that_nobody_knows_is_told_with_its_exit_code(site: Path) -> None:
    act = ("reconcile", "accept", "nothing-0000", "--reason", "x")
    assert (await command(site, *act)).exit_code == 3
