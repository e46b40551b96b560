"""`crossdock rebuild`: fills the streams again from the ledger after NATS lost its data."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Annotated, Any

import typer

from hub.cli.desk import ConfigOption, site_of
from hub.cli.exits import run
from hub.cli.output import Output, OutputOption, print_json, print_rows
from hub.clock import SystemClock
from hub.frame import Frame
from hub.ledger import engine as ledgers
from hub.publisher import Publisher
from hub.rebuild.rebuild import Rebuilder
from hub.servers.addresses import Addresses
from hub.servers.reach import reach
from hub.settings.model import Site
from hub.watch import Streams, sizes

_PATIENCE_SECONDS = 10.0
_COLUMNS = ("stream", "known", "there", "published")


def rebuild(
    config: ConfigOption = None,
    days: Annotated[int, typer.Option(min=0, help="How far back.")] = 7,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count.")] = False,  # noqa: FBT002
    output: OutputOption = Output.TABLE,
) -> None:
    """Make the streams again and publish what the ledger knows and they lack."""

    async def work() -> list[dict[str, Any]]:
        site = site_of(config)
        async with reach(site.data_dir, site.servers) as addresses:
            return await _rebuild(site, addresses, days, act=not dry_run)

    rows = run(work())
    if output is Output.JSON:
        print_json(rows)
    else:
        print_rows(rows, _COLUMNS, output)


async def _rebuild(
    site: Site, addresses: Addresses, days: int, *, act: bool
) -> list[dict[str, Any]]:
    clock, engine = SystemClock(), ledgers.open_engine(addresses.database_url, pool_size=2)
    frame = Frame(addresses.nats_url)
    try:
        await ledgers.migrate(engine)
        ledger = await ledgers.ledger_id(engine, clock)
        await frame.start(_PATIENCE_SECONDS)
        js = frame.client.jetstream()
        await Streams(js, ledger, sizes(site), clock).ready()
        rebuilder = Rebuilder(
            engine,
            frame.client,
            Publisher(frame.client, js),
            {name: connection.partner for name, connection in site.connections.items()},
        )
        found = await rebuilder.run(clock.now() - timedelta(days=days), act=act)
        return [asdict(each) for each in found]
    finally:
        await frame.stop()
        await engine.dispose()
