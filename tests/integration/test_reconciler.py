"""Reconciliation on a real ledger: found once, re-driven once, closed by itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from canonical.errors import Rejected
from hub.clock import SystemClock
from hub.ledger.tables import audit, delivery, document, finding
from hub.reconcile.runner import Reconciler
from hub.servers.addresses import Addresses
from hub.settings.model import Reconcile
from tests.support.ledgers import SITE, Dock, dock, normalized, order

JOB = "ship-not-invoiced"
PROMPT = SITE.model_copy(
    update={"reconcile": Reconcile(ship_not_invoiced_after_seconds=0, heal=True)}
)


@pytest.fixture
async def at(addresses: Addresses, tmp_path: Path) -> AsyncIterator[Dock]:
    async with dock(addresses, tmp_path) as opened:
        await opened.stock()
        await opened.take_in(normalized("order", order()))
        yield opened


async def reference(at: Dock) -> str:
    (row,) = [row for row in await at.rows(document) if row["entity"] == "order"]
    return str(row["reference"])


async def ship(at: Dock, quantity: str = "2") -> None:
    line = {
        "number": "1",
        "item": {"seller_sku": "A"},
        "shipped": {"value": quantity, "unit": "EA"},
    }
    shipped = {
        "number": "S-1",
        "order_reference": await reference(at),
        "shipped_on": "2026-05-06",
        "lines": [line],
    }
    await at.take_in(normalized("shipment", shipped, "shop"))
    await settle(at, "post_shipment")


async def settle(at: Dock, action: str) -> None:
    """Let the ERP have acknowledged a delivery a minute ago."""
    past = datetime.now(UTC) - timedelta(minutes=1)
    async with at.engine.begin() as ledger:
        await ledger.execute(
            sa.update(delivery)
            .where(delivery.c.action == action)
            .values(state="delivered", settled_at=past)
        )


async def invoice(at: Dock, quantity: str = "2") -> None:
    line = {
        "number": "1",
        "item": {"seller_sku": "A"},
        "quantity": {"value": quantity, "unit": "EA"},
    }
    billed = {
        "number": "INV-1",
        "order_reference": await reference(at),
        "issued_on": "2026-05-06",
        "currency": "USD",
        "lines": [line],
        "total_without_tax": {"amount": "20", "currency": "USD"},
        "total": {"amount": "20", "currency": "USD"},
    }
    await at.take_in(normalized("invoice", billed, "contoso"), connection="bc")


def reconciler(at: Dock) -> Reconciler:
    return Reconciler(at.engine, PROMPT, SystemClock())


async def redrives(at: Dock) -> list[dict[str, Any]]:
    return [dict(row) for row in await at.rows(delivery) if row["occasion"]]


async def test_a_shipment_without_invoice_is_found_and_re_driven_once(at: Dock) -> None:
    await ship(at)
    report = await reconciler(at).run(JOB, actor="ann")
    assert (report.found, report.opened, report.healing) == (1, 1, 1)
    (found,) = await at.rows(finding)
    assert (found["state"], found["amount"], found["currency"]) == ("healing", Decimal(20), "USD")
    (again,) = await redrives(at)
    assert (again["action"], again["state"], again["target"]) == (
        "invoice_shipment",
        "pending",
        "bc",
    )
    assert [row["actor"] for row in await at.rows(audit)] == ["ann"]


async def test_running_again_while_it_heals_drives_nothing_twice(at: Dock) -> None:
    await ship(at)
    for _ in range(3):
        await reconciler(at).run(JOB)
    assert len(await at.rows(finding)) == len(await redrives(at)) == 1


async def test_the_finding_closes_itself_once_the_invoice_is_seen(at: Dock) -> None:
    await ship(at)
    await reconciler(at).run(JOB)
    await settle(at, "invoice_shipment")
    assert (await reconciler(at).run(JOB)).closed == 0  # sent is not yet acknowledged
    await invoice(at)
    assert (await reconciler(at).run(JOB)).closed == 1
    (found,) = await at.rows(finding)
    assert found["state"] == "closed"
    assert found["closed_at"] is not None


async def test_a_finding_does_not_close_because_it_grew_old(at: Dock) -> None:
    await ship(at)
    await reconciler(at).run(JOB, heal=False)
    long_ago = datetime.now(UTC) - timedelta(days=200)
    async with at.engine.begin() as ledger:
        await ledger.execute(sa.update(delivery).values(settled_at=long_ago))
    again = await reconciler(at).run(JOB, heal=False)
    assert (again.found, again.opened, again.closed) == (1, 0, 0)


async def test_a_shipment_counts_once_however_many_targets_took_it(at: Dock) -> None:
    await ship(at)
    second = {"id": "second", "target": "wms"}
    async with at.engine.begin() as ledger:
        posted = sa.select(delivery).where(delivery.c.action == "post_shipment")
        row = dict((await ledger.execute(posted)).mappings().one())
        await ledger.execute(sa.insert(delivery).values(row | second))
    await invoice(at)
    assert (await reconciler(at).run(JOB)).found == 0


async def test_a_billed_shipment_raises_no_alarm(at: Dock) -> None:
    await ship(at)
    await invoice(at)
    assert (await reconciler(at).run(JOB)).found == 0
    assert await at.rows(finding) == []


async def test_a_partial_invoice_leaves_the_rest_open(at: Dock) -> None:
    await ship(at)
    await invoice(at, "1")
    await reconciler(at).run(JOB, heal=False)
    (found,) = await at.rows(finding)
    assert (found["details"], found["amount"], found["state"]) == ({"A": "1"}, Decimal(10), "open")
    assert await redrives(at) == []


async def test_a_job_that_does_not_exist_is_refused_by_name(at: Dock) -> None:
    with pytest.raises(Rejected, match="job_unknown"):
        await reconciler(at).run("no-such-job")
