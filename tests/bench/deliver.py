"""From purchase order to sales order: how long, at so many a second: `make deliver`.

    python -m tests.bench.deliver [--rate 200] [--seconds 20] [--rounds 3] [--concurrency 32] [--erp-alone]

A real hub and the emulated ERP; 850s of one line are stored in INTAKE at a fixed rate, each at its
moment. An order is timed from that moment until the ledger says that the ERP has taken it; an
order that is late because those before it were slow counts as late. Nothing is left out: the run
waits until the ERP has all of them. Processor time is that of all deliveries that come of them, the
warehouse's and the partner's 997 with the ERP's, and of making the load and watching.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import nats as nats_client

from connectors.base import Receipt
from hub.ids import derived_id
from hub.intake.store import ReceiptStore
from hub.publisher import Publisher
from tests.bench import cpu
from tests.bench.deliver_cpu import processes
from tests.bench.intake_load import percentile
from tests.support.hub_senders import Acme
from tests.support.hub_world import World
from tests.support.hub_world import world as hub_world
from tests.support.own_servers import OwnServers
from tests.support.waiting import wait_until

PROMISED_P95_MS = 250.0
_DELIVERED = (
    "SELECT extract(epoch FROM d.settled_at - r.received_at) * 1000 AS ms FROM delivery AS d"
    " JOIN document AS o ON o.id = d.document_id JOIN receipt AS r ON r.id = o.receipt_id"
    " WHERE d.target = 'bc' AND d.state = 'delivered' AND o.number LIKE :run"
)
_STAGES = {
    "decided": "extract(epoch FROM o.created_at - r.received_at)",
    "claimed": "extract(epoch FROM a.started_at - o.created_at)",
    "tried": "extract(epoch FROM a.ended_at - a.started_at)",
}
"""Where the time goes: until the hub decides, until the delivery is claimed, until the ERP has it."""
_MEDIAN = "1000 * percentile_cont(0.5) WITHIN GROUP (ORDER BY {})"
_MEDIANS = (
    f"SELECT {', '.join(f'{_MEDIAN.format(what)} AS {name}' for name, what in _STAGES.items())}"  # noqa: S608  # our own words
    " FROM delivery AS d JOIN attempt AS a ON a.delivery_id = d.id JOIN document AS o"
    " ON o.id = d.document_id JOIN receipt AS r ON r.id = o.receipt_id"
    " WHERE d.target = 'bc' AND d.state = 'delivered' AND o.number LIKE :run"
)
_THERE = "SELECT count(*) FROM delivery WHERE target = 'bc' AND state = 'delivered'"
_LEFT = "SELECT count(*) FROM delivery WHERE settled_at IS NULL"
_COMMITS = "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()"
_TRIES = (
    "SELECT a.outcome, count(*) AS n FROM attempt AS a JOIN delivery AS d ON d.id = a.delivery_id"
    " JOIN document AS o ON o.id = d.document_id WHERE d.target = 'bc' AND o.number LIKE :run"
    " GROUP BY 1"
)


def orders(run: str, count: int) -> Iterator[tuple[str, bytes]]:
    """Yield names and interchanges of orders; no two say the same."""
    acme = _ACME
    for n in range(count):
        name = f"{run}-{n:06}"
        yield name, acme.interchange(acme.order(name)).encode()


_ACME = Acme()


async def paced(url: str, ready: list[tuple[str, bytes]], rate: float) -> None:
    """Store orders in INTAKE, each at its moment."""
    client = await nats_client.connect(url)
    js = client.jetstream(timeout=10)
    store = ReceiptStore(js, Publisher(client, js))
    begun, at = time.perf_counter() + 0.2, datetime.now(UTC) + timedelta(seconds=0.2)
    async with asyncio.TaskGroup() as group:
        for n, (name, body) in enumerate(ready):
            await asyncio.sleep(max(0.0, begun + n / rate - time.perf_counter()))
            moment = at + timedelta(seconds=n / rate)
            receipt = Receipt(
                derived_id("deliver", name), "acme-edi", f"{name}.edi", moment, body,
                content_type="application/edi-x12", facts={"file": f"{name}.edi"},
            )  # fmt: skip
            group.create_task(store.save(receipt))
    await client.close()


def measured(at: World, url: str, rate: float, seconds: float, run: str) -> dict[str, Any]:
    """Return how long the orders of one run took, and processor time of each."""
    ready = list(orders(run, round(rate * seconds)))
    groups = processes(at.hub.pid, int(at.sandbox.ready["pid"]))
    known, commits = at.books.count(_THERE), at.books.count(_COMMITS)
    before, begun = cpu.seconds(groups), time.perf_counter()
    asyncio.run(paced(url, ready, rate))
    wait_until(lambda: at.books.count(_THERE) == known + len(ready), 300, "all are there")
    lasted = time.perf_counter() - begun
    wait_until(lambda: at.books.count(_LEFT) == 0, 300, "the warehouse and the partner, too")
    used, whole = cpu.difference(before, cpu.seconds(groups)), time.perf_counter() - begun
    ms = sorted(float(row["ms"]) for row in at.books.rows(_DELIVERED, run=f"{run}-%"))
    return {
        "orders": len(ms),
        "per_s": round(len(ms) / lasted, 1),
        "p50_ms": round(percentile(ms, 0.5), 1),
        "p95_ms": round(percentile(ms, 0.95), 1),
        "p99_ms": round(percentile(ms, 0.99), 1),
        "p50_ms_until": {
            name: round(float(each), 1)
            for name, each in at.books.rows(_MEDIANS, run=f"{run}-%")[0].items()
        },
        "transactions": round((at.books.count(_COMMITS) - commits) / len(ms), 1),
        "cpu_us": {name: round(each / len(ms) * 1e6) for name, each in used.items()},
        "cores": round(sum(used.values()) / whole, 2),
        "tries": {row["outcome"]: row["n"] for row in at.books.rows(_TRIES, run=f"{run}-%")},
    }


def _site(given: argparse.Namespace) -> Callable[[dict[str, Any]], None]:
    def change(site: dict[str, Any]) -> None:
        site["workers"]["processes"] = given.workers
        for name in ("bc", "lakeside", "acme-edi"):
            limits = site["connections"][name].setdefault("limits", {})
            limits |= {"concurrency": given.concurrency, "per_second": 1000}
        # The emulated stock is small, and every order is of another quantity.
        site["control_points"]["enabled"] = ["complete", "customer_known", "items_known"]
        if given.erp_alone:
            site["routes"] = [route for route in site["routes"] if route["to"] == "bc"]
            options = site["connections"]["acme-edi"]["options"]
            options |= {"acknowledge": "none", "interchange_acknowledge": "none"}

    return change


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=200)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--concurrency", type=int, default=32, help="lanes of each target")
    parser.add_argument("--erp-alone", action="store_true", help="no warehouse order, no 997")
    parser.add_argument("--workers", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="crossdock-deliver-") as name:
        folder = Path(name)
        servers = OwnServers(folder)
        try:
            servers.start("nats", "postgres", "redis")
            change = _site(given)
            with hub_world(folder / "site", servers.addresses, change) as at:
                at.hub.start()
                wait_until(at.seeded, 60, "the hub knows its items")
                url = servers.addresses.nats_url
                measured(at, url, 20, 2, "warm")
                runs = [
                    measured(at, url, given.rate, given.seconds, f"r{n}")
                    for n in range(given.rounds)
                ]
        finally:
            servers.close()
    middle = sorted(runs, key=lambda run: float(run["p95_ms"]))[given.rounds // 2]
    found = {"rate": given.rate, "promised_p95_ms": PROMISED_P95_MS, "median": middle, "runs": runs}
    sys.stdout.write(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
