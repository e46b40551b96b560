"""Groups of failures say what changed shortly before their first."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from hub.dead_letters import letters
from hub.dead_letters.filters import Filters
from hub.deployed import parts
from hub.ledger import audit, deployments
from hub.ledger.tables import dead_letter, deployment
from tests.support.dead_letters import SITE, Servers, Shell
from tests.support.many_letters import many_dead
from tests.support.paper import ORDER, paper_mapping

NOON = datetime(2026, 5, 5, 12, tzinfo=UTC)
PARTS = {"mapping paper/slip.order": "a1", "connection desk": "c1"}


async def ran(at: Servers, moment: datetime, version: str = "1.0", **changed: str) -> bool:
    """A hub starts."""
    named = {name.replace("_", " ", 1).replace("__", "/"): value for name, value in changed.items()}
    async with at.engine.begin() as ledger:
        return await deployments.note(ledger, version, PARTS | named, moment)


async def group(at: Servers) -> dict[str, Any]:
    async with at.engine.begin() as ledger:
        await ledger.execute(sa.update(dead_letter).values(opened_at=NOON))
        found = await letters.groups(ledger, Filters())
        (one,) = await letters.with_changes(ledger, found)
    return one


async def test_a_group_says_which_mapping_changed_how_long_before(at: Servers) -> None:
    await many_dead(at.engine, 2)
    await ran(at, NOON - timedelta(days=9))
    await ran(at, NOON - timedelta(hours=30), connection_desk="c2")
    await ran(at, NOON - timedelta(hours=3), connection_desk="c3")
    last = PARTS | {"connection desk": "c3", "mapping paper/slip.order": "a2"}
    async with at.engine.begin() as ledger:
        await deployments.note(ledger, "1.1", last, NOON - timedelta(minutes=6))
        await deployments.note(ledger, "1.2", last, NOON + timedelta(minutes=6))
    assert (await group(at))["changed"] == [
        "crossdock 1.0 -> 1.1 6 minutes earlier",
        "mapping paper/slip.order changed 6 minutes earlier",
        "connection desk changed 3 hours earlier",
    ]


async def test_what_a_person_promoted_is_told_too(at: Servers) -> None:
    await many_dead(at.engine, 1)
    async with at.engine.begin() as ledger:
        for action in ("map.promote", "hold.release"):
            entry = audit.Entry("ann", action, "acme/order_in", "x")
            await audit.append(ledger, entry, NOON - timedelta(minutes=1))
    found = (await group(at))["changed"]
    assert found == ["map.promote acme/order_in by ann 1 minute earlier"]


async def test_the_same_hub_again_and_the_very_first_are_no_change(at: Servers) -> None:
    await many_dead(at.engine, 1)
    assert await ran(at, NOON - timedelta(hours=2))
    assert not await ran(at, NOON - timedelta(hours=1))
    assert (await group(at))["changed"] == []
    async with at.engine.connect() as ledger:
        count = sa.select(sa.func.count()).select_from(deployment)
        assert await ledger.scalar(count) == 1


async def test_stats_tell_it(at: Servers, desk: Shell) -> None:
    await many_dead(at.engine, 1)
    await ran(at, NOON - timedelta(hours=2))
    await ran(at, NOON - timedelta(minutes=2), connection_desk="c9")
    await group(at)
    (row,) = await desk.json("stats")
    assert row["changed"] == ["connection desk changed 2 minutes earlier"]


def test_every_part_of_a_site_and_every_mapping_is_told_apart() -> None:
    before = parts(SITE, [paper_mapping("slip.order", ORDER)])
    other = replace(paper_mapping("slip.order", ORDER), version="other")
    assert _changed(before, parts(SITE, [other])) == {"mapping paper/slip.order"}
    acme = SITE.partners["acme"].model_copy(update={"on_conflict": "reject"})
    site = SITE.model_copy(update={"partners": SITE.partners | {"acme": acme}})
    assert _changed(before, parts(site, [paper_mapping("slip.order", ORDER)])) == {"partner acme"}


def _changed(before: dict[str, str], after: dict[str, str]) -> set[str]:
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
