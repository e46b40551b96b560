"""`crossdock deliveries`: what is on its way to targets, in doubt, or waiting behind something."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum
from typing import Annotated, Any

import typer

from canonical.errors import Rejected
from hub.cli.desk import ConfigOption, desk
from hub.cli.exits import run
from hub.cli.listing import print_listed
from hub.cli.output import Output, OutputOption
from hub.ledger import under_way
from hub.settings.names import did_you_mean

_COLUMNS = (
    "id", "target", "action", "number", "reference", "state", "attempts", "code", "next_at", "waiting",
)  # fmt: skip


class State(StrEnum):
    """States of a delivery that is not at rest, and where it stopped."""

    PENDING = "pending"
    IN_FLIGHT = "in_flight"
    IN_DOUBT = "in_doubt"
    DEAD = "dead"


def deliveries(
    config: ConfigOption = None,
    state: Annotated[
        list[State] | None, typer.Option(help="One or more; else all that are not at rest.")
    ] = None,
    target: Annotated[str | None, typer.Option(help="Only to this target.")] = None,
    waiting: Annotated[  # noqa: FBT002
        bool, typer.Option("--waiting", help="Only those that wait behind something.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 100,
    output: OutputOption = Output.TABLE,
) -> None:
    """List deliveries that are not done, the oldest first: what is in doubt, what waits and why."""
    usual = (State.PENDING, State.IN_FLIGHT, State.IN_DOUBT)
    states = [each.value for each in state or usual]

    async def work() -> list[dict[str, Any]]:
        async with desk(config) as at, at.engine.connect() as ledger:
            targets = list(at.site.connections) if target is None else [target]
            chosen = under_way.Chosen(states, targets, waiting, limit)
            found = await under_way.listing(ledger, chosen)
            if not found and target is not None:  # a connection that was taken out may owe some yet
                _check_target(target, at.site.connections)
            return found

    print_listed(run(work()), _COLUMNS, output, "no delivery matches")


def _check_target(target: str, connections: Collection[str]) -> None:
    if target not in connections:
        detail = f"no connection has this name{did_you_mean(target, connections)}"
        raise Rejected("target_unknown", target, detail)
