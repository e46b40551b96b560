"""Durable intake: documents a second at the broker, and how long a caller waits: `make intake`.

    python -m tests.bench.intake [--documents 50000] [--rate 500] [--seconds 20] [--rounds 3]

`sync_interval: always`: a yes means on disk. At the broker 2 kB documents go through the hub's own
receipt store, by atomic batches, with so many callers at once; then the stream must hold exactly
those. Over HTTP a real hub takes signed calls in and goes on with them as ever, while a process of
its own makes calls at a fixed rate.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from connectors.base import Receipt
from hub import topology
from hub.ids import derived_id
from hub.intake.store import ReceiptStore
from hub.publisher import Publisher
from tests.bench import cpu
from tests.bench.deliver_cpu import processes
from tests.bench.world import connected, stored, world
from tests.support.hub_process import ROOT
from tests.support.hub_world import world as hub_world
from tests.support.own_servers import OwnServers
from tests.support.waiting import wait_until

PROMISED_DOCUMENTS, PROMISED_P99_MS = 5_000, 50.0
_CALLERS = 1_000
_BODY = b"x" * 2_048


async def at_the_broker(documents: int, rounds: int, folder: Path) -> dict[str, Any]:
    """Return documents a second, and processor time of each."""
    found: list[tuple[float, dict[str, float]]] = []
    async with world(folder) as servers:
        addresses = await servers.fresh()
        async with connected(addresses.nats_url) as (client, js):
            await topology.declare(js, "bench", topology.Sizes())
            store = ReceiptStore(js, Publisher(client, js))
            groups = {"hub": cpu.own(), "nats": servers.pids["nats"]}
            for n in range(rounds):
                before = cpu.seconds(groups)
                seconds = await _saved(store, documents, n)
                found.append((seconds, cpu.difference(before, cpu.seconds(groups))))
            held = await stored(js, topology.INTAKE)
            if held != documents * rounds:
                raise AssertionError(f"the stream holds {held}, not {documents * rounds}")
    seconds, used = sorted(found)[rounds // 2]
    return {
        "documents_per_s": round(documents / seconds),
        "promised": PROMISED_DOCUMENTS,
        "cpu_us": {name: round(each / documents * 1e6, 1) for name, each in used.items()},
    }


async def _saved(store: ReceiptStore, documents: int, run: int) -> float:
    """Store documents with so many callers at once; the seconds that it took."""
    rest = iter(range(documents))
    now = datetime.now(UTC)
    begun = time.perf_counter()

    async def caller() -> None:
        for n in rest:
            name = derived_id("intake", str(run), str(n))
            await store.save(Receipt(name, "acme-edi", name, now, _BODY))

    await asyncio.gather(*(caller() for _ in range(_CALLERS)))
    return time.perf_counter() - begun


_INTAKE_ALONE = (
    "-c",
    "import sys; from dlq_tools.main import main; sys.argv += ['--roles', 'intake']; main()",
)
"""The hub's command line with the one role, as a site runs it that takes much in."""


def over_http(
    load: tuple[float, float, int], folder: Path, *, alone: bool = False
) -> dict[str, Any]:
    """Return how long callers of a real hub waited, the median of rounds.

    Args:
        load: calls a second, seconds, rounds.
        folder: of the hub and its servers.
        alone: the process has the role `intake` and no other.
    """
    rate, seconds, rounds = load
    program: dict[str, Any] = {"program": _INTAKE_ALONE} if alone else {}
    servers = OwnServers(folder)
    try:
        servers.start("nats", "postgres", "redis")
        with hub_world(folder / "site", servers.addresses, **program) as at:
            at.hub.start()
            if not alone:
                wait_until(at.seeded, 60, "the hub knows its items")
            _load(at.hub.url, 50, 2, "warm")
            groups = processes(at.hub.pid, int(at.sandbox.ready["pid"]))
            before = cpu.seconds(groups)
            runs = [_load(at.hub.url, rate, seconds, f"r{n}") for n in range(rounds)]
            used = cpu.difference(before, cpu.seconds(groups))
            calls = sum(run["calls"] for run in runs)
            accepted = sum(run["statuses"].get("200", 0) for run in runs)
    finally:
        servers.close()
    middle = sorted(runs, key=lambda run: float(run["p99_ms"]))[rounds // 2]
    return middle | {
        "rate": rate,
        "promised_p99_ms": PROMISED_P99_MS,
        "accepted": f"{accepted} of {calls}",
        "cpu_us": {name: round(each / calls * 1e6) for name, each in used.items()},
    }


def _load(url: str, rate: float, seconds: float, run: str) -> dict[str, Any]:
    command = [
        sys.executable, "-m", "tests.bench.intake_load", f"{url}/in/shop",
        "--rate", str(rate), "--seconds", str(seconds), "--run", run,
    ]  # fmt: skip
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=50_000)
    parser.add_argument("--rate", type=float, default=500)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="crossdock-intake-") as name:
        folder = Path(name)
        broker = asyncio.run(at_the_broker(given.documents, given.rounds, folder / "broker"))
        load = given.rate, given.seconds, given.rounds
        found = {
            "broker": broker,
            "http, intake alone": over_http(load, folder / "alone", alone=True),
            "http, all roles": over_http(load, folder / "all"),
        }
    sys.stdout.write(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
