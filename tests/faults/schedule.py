"""What goes wrong, when: a list made from a seed alone, so that any run can be run again."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from hub import failpoints

PLACES = tuple(re.findall(r"^``([a-z]+\.[a-z_]+)``", failpoints.__doc__ or "", re.MULTILINE))
"""Every place where a hub can be let die; a test holds the list to the code."""
HUBS = ("hub-a", "hub-b")
SERVERS = ("nats", "postgres", "redis")
LINKS = ("nats", "postgres", "redis", "sandbox")
"""What stands behind a proxy of hub-b."""
COMPONENTS = (*HUBS, *SERVERS, "sandbox")
MISBEHAVIOUR: tuple[dict[str, Any], ...] = (
    {"kind": "accept_then_reset"},
    {"kind": "reset_before"},
    {"kind": "status", "status": 503},
    {"kind": "status", "status": 429, "retry_after": 1},
    {"kind": "slow", "delay_seconds": 2},
    {"kind": "hang", "applies": True},
    {"kind": "hang", "applies": False},
    {"kind": "drip", "delay_seconds": 0.5},
    {"kind": "html_login"},
    {"kind": "ok_with_error_body"},
)
NETWORKS = (("latency", 0.2), ("reset", 20_000), ("half_open", 0), ("partition", 0))
"""Modes of a link, and how much of it."""
_LATE = 5
"""The latest passing at which a failpoint kills: it must be reached soon under any load."""
_LATEST = {"intake.read": 25, "intake.stored": 25, "poll.stored": 1, "normalize.suspected": 1}
"""The same of places that are passed more often, or rarely."""
NOT_HERE = ("intake.body_stored", "relay.swept", "replay.stored")
"""Places that no document of a campaign is sure to meet: tests of their own reach them."""


@dataclass(frozen=True, slots=True)
class Strike:
    """One thing done to the world.

    `kind` and what `subject` and `detail` mean:

    - ``kill``: a component dies at once; it is started again after `seconds`;
    - ``failpoint``: the hub `subject` is killed, started armed with `detail`, and again once dead;
    - ``worker``: a worker process of the hub `subject` dies; the hub starts another;
    - ``pause``: SIGSTOP for `seconds`, then SIGCONT;
    - ``term``: SIGTERM, an orderly end, and a start;
    - ``net``: the link `subject` of hub-b is as `detail` says for `seconds`;
    - ``wipe``: while partners hold their breath, NATS loses its directory, and is rebuilt;
    - ``redis``: `detail` is ``flush`` or ``full``;
    - ``misbehave``: the next requests to the ERP go wrong as `detail` says.
    """

    kind: str
    subject: str
    gap: float
    """Seconds after the strike before it was over."""
    seconds: float = 0.0
    detail: dict[str, Any] | str = ""

    def row(self) -> dict[str, Any]:
        """As the history keeps it."""
        return asdict(self)


def strike_from(row: dict[str, Any]) -> Strike:
    """Read a strike back."""
    return Strike(**{name: row[name] for name in Strike.__dataclass_fields__})


def schedule(seed: int, pace: float = 1.0) -> Iterator[Strike]:
    """Yield strikes without end; the same seed gives the same ones.

    Every round holds each failpoint, a kill of each component and one of each other kind, in an
    order of its own: no place is left out by chance.

    Args:
        seed: of everything.
        pace: longest wait between two strikes, in seconds.

    """
    rng = random.Random(seed)  # noqa: S311  # a schedule, no secret
    while True:
        once = list(_round(rng, pace))
        rng.shuffle(once)
        yield from once


def _round(rng: random.Random, pace: float) -> Iterator[Strike]:
    def gap() -> float:
        return round(rng.uniform(0.1, pace), 2)

    for place in (name for name in PLACES if name not in NOT_HERE):
        armed = f"{place}:{rng.randint(1, _LATEST.get(place, _LATE))}"
        yield Strike("failpoint", rng.choice(HUBS), gap(), detail=armed)
    for component in COMPONENTS:
        yield Strike("kill", component, gap(), round(rng.uniform(0, 2), 2))
        yield Strike("pause", component, gap(), round(rng.uniform(0.5, 3), 2))
    for hub in HUBS:
        yield Strike("worker", hub, gap())
        yield Strike("term", hub, gap())
    for mode, amount in NETWORKS:
        how = {"mode": mode, "amount": amount}
        yield Strike("net", rng.choice(LINKS), gap(), round(rng.uniform(1, 3), 2), how)
    yield Strike("wipe", "nats", gap())
    for what in ("flush", "full"):
        yield Strike("redis", "redis", gap(), round(rng.uniform(0.5, 2), 2), what)
    for rule in rng.sample(MISBEHAVIOUR, 5):
        yield Strike("misbehave", "sandbox", gap(), detail=dict(rule))
