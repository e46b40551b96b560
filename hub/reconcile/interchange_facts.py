"""What the ledger knows of the numbers that senders use."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

import sqlalchemy as sa
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection

from connectors.registry import CONNECTORS
from hub.ledger.interchanges import Gap, Span, gaps
from hub.ledger.tables import finding
from hub.settings.model import Site


class Counted(NamedTuple):
    """How one sender numbers its interchanges."""

    scope: str
    after: timedelta | None
    """How long a number may be late; None: its numbers may be skipped."""


def counted(site: Site) -> dict[str, Counted]:
    """Return connection -> how its partner numbers interchanges; one for each scope."""
    found: dict[str, Counted] = {}
    scopes = set()
    for name, connection in site.connections.items():
        connector = CONNECTORS.get(connection.system)
        if connector is None:
            continue
        try:
            config = connector.config.model_validate(connection.options)
        except ValidationError:  # a secret that is still a reference: none of those has numbers
            continue
        if config.control_scope is not None and config.control_scope not in scopes:
            scopes.add(config.control_scope)
            found[name] = Counted(config.control_scope, config.gap_after)
    return found


async def skipped(
    ledger: AsyncConnection,
    job: str,
    since: datetime,
    now: datetime,
    senders: Mapping[str, Counted],
) -> tuple[list[Gap], int]:
    """Return gaps whose grace period ended in a span, and those that are open and still there.

    Args:
        ledger: a connection.
        job: whose open findings are looked at again.
        since: the beginning of the span.
        now: its end.
        senders: who counts, and how long a number may be late.

    Returns:
        The gaps, and how many interchanges were looked at.
    """
    open_ = await _open(ledger, job)
    found: list[Gap] = []
    looked_at = 0
    for connection, (scope, after) in senders.items():
        if after is None:
            continue
        span = Span(since - after, now - after, open_.get(connection, []))
        missing, count = await gaps(ledger, scope, span)
        found += [gap._replace(connection=connection) for gap in missing]
        looked_at += count
    return found, looked_at


async def missing(ledger: AsyncConnection, job: str) -> dict[str, int]:
    """Return connection -> how many numbers are missing in its gaps that are open findings."""
    connection = sa.func.split_part(finding.c.subject, "/", 2)
    count = sa.func.sum(sa.cast(finding.c.details["missing"].astext, sa.BigInteger))
    asked = (
        sa.select(connection, count)
        .where(finding.c.job == job, finding.c.state.in_(("open", "healing")))
        .group_by(connection)
    )
    return {name: int(found) for name, found in await ledger.execute(asked)}


async def _open(ledger: AsyncConnection, job: str) -> dict[str, list[int]]:
    """Return connection -> the numbers behind its gaps that are findings now."""
    asked = sa.select(finding.c.subject).where(finding.c.job == job, finding.c.state != "closed")
    found: dict[str, list[int]] = {}
    for subject in (await ledger.execute(asked)).scalars():
        _, connection, number = subject.split("/")
        found.setdefault(connection, []).append(int(number))
    return found
