"""The command line of the sandbox."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sandbox.easypost import CarrierPace
from sandbox.warehouse_floor import Pace
from sandbox.webhook import RETRY_SECONDS


@dataclass(frozen=True)
class Secrets:
    """What the emulated systems share with the hub; only ever taken from the environment."""

    shop: str
    carrier: str
    client_id: str
    client_secret: str

    def __repr__(self) -> str:
        return "Secrets(...)"


@dataclass(frozen=True)
class Options:
    """How one sandbox runs."""

    data: Path
    port: int
    hub_url: str
    lakeside_inbox: Path | None
    lakeside_outbox: Path | None
    partners: Mapping[str, tuple[Path, Path]]
    """EDI customer -> the hub's inbox and outbox for it."""
    seed: int
    page_size: int
    warehouse: Pace
    carrier: CarrierPace
    retry_seconds: tuple[float, ...]
    secrets: Secrets


def secrets_from(environment: Mapping[str, str]) -> Secrets:
    """Take the shared secrets from the environment; the defaults are the demo's."""
    return Secrets(
        shop=environment.get("SANDBOX_SHOP_SECRET", "sandbox-shop-secret-for-demo-only"),
        carrier=environment.get("SANDBOX_CARRIER_SECRET", "sandbox-carrier-secret-for-demo-only"),
        client_id=environment.get("SANDBOX_BC_CLIENT_ID", "crossdock"),
        client_secret=environment.get("SANDBOX_BC_CLIENT_SECRET", "sandbox-bc-secret-for-demo"),
    )


def parse(arguments: Sequence[str] | None, environment: Mapping[str, str] = os.environ) -> Options:
    """Read the command line; ends the process with 2 where it does not fit."""
    given = _parser().parse_args(arguments)
    carrier = CarrierPace(
        automatic=given.carrier == "automatic",
        step_seconds=given.carrier_seconds,
        connection=given.carrier_connection,
    )
    return Options(
        data=given.data,
        port=given.port,
        hub_url=given.hub_url,
        lakeside_inbox=given.lakeside_inbox,
        lakeside_outbox=given.lakeside_outbox,
        partners=dict(given.partner),
        seed=given.seed,
        page_size=given.page_size,
        warehouse=Pace(given.ship_seconds, given.ship_seconds, given.acknowledge == "yes"),
        carrier=carrier,
        retry_seconds=given.retry_seconds,
        secrets=secrets_from(environment),
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sandbox", description="An emulated world for the hub.")
    add = parser.add_argument
    add("--data", type=Path, required=True, help="folder of the effects journal")
    add("--port", type=int, default=0, help="port on 127.0.0.1; 0 takes a free one")
    add("--hub-url", default="", help="where webhooks go; can be set later by PUT /_control/hub")
    add(
        "--lakeside-inbox",
        type=Path,
        help="the hub's inbox for the warehouse: 945 and 997 go there",
    )
    add("--lakeside-outbox", type=Path, help="the hub's outbox for the warehouse: 940 appear there")
    add(
        "--partner", type=_partner, action="append", default=[], metavar="NAME=INBOX,OUTBOX",
        help="the hub's folders for an EDI customer; may be repeated",
    )  # fmt: skip
    add("--seed", type=int, default=1, help="seed of all new ids")
    add("--page-size", type=int, default=100, help="most rows of one OData page")
    add("--ship-seconds", type=float, default=0.3, help="how long the warehouse takes to ship")
    add("--acknowledge", choices=("yes", "no"), default="yes", help="whether it sends 997s")
    add(
        "--carrier", choices=("automatic", "manual"), default="automatic", help="parcels move alone"
    )
    add("--carrier-seconds", type=float, default=0.5, help="time between two scans")
    add("--carrier-connection", default="tracking", help="the hub's connection for scans")
    add(
        "--retry-seconds", type=_seconds, default=RETRY_SECONDS,
        help="waits between attempts of a webhook, such as 0.2,0.5,1",
    )  # fmt: skip
    return parser


def _partner(text: str) -> tuple[str, tuple[Path, Path]]:
    name, _, folders = text.partition("=")
    inbox, comma, outbox = folders.partition(",")
    if not (name and comma and inbox and outbox):
        raise argparse.ArgumentTypeError("expected NAME=INBOX,OUTBOX")
    return name, (Path(inbox), Path(outbox))


def _seconds(text: str) -> tuple[float, ...]:
    return tuple(float(part) for part in text.split(","))
