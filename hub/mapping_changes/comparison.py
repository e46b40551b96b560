"""Runs stored receipts through today's and the candidate mappings; writes nothing anywhere."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncEngine

from canonical.errors import ConfigError
from connectors.registry import CONNECTORS
from hub.archive import Archive
from hub.mapping.files import MappingFile, mapping_files, overlaid, shipped_mappings
from hub.mapping_changes import stored
from hub.mapping_changes.tally import Tally
from hub.settings.model import Site
from hub.workers.pool import WorkerPool
from hub.workers.spec import WorkerSpec, worker_spec


@dataclass(frozen=True, slots=True)
class Candidate:
    """Mappings that may replace those in use."""

    files: tuple[MappingFile, ...]
    """Those that are new or differ."""
    before: WorkerSpec
    after: WorkerSpec
    connections: frozenset[str]
    """The connections whose inbound documents they may change."""


def candidate(site: Site, folder: Path) -> Candidate:
    """Read candidate mappings: each replaces the one of its name, all others stay.

    Raises:
        ConfigError: a file cannot be read, or ``mapping_missing``: there is none.

    """
    before = worker_spec(site, CONNECTORS, shipped_mappings())
    offered = tuple(mapping_files(folder))
    if not offered:
        expected = "expected mappings in folders named after their systems"
        raise ConfigError("mapping_missing", str(folder), expected)
    in_use = {file.name: file.version for file in before.mappings}
    files = tuple(file for file in offered if in_use.get(file.name) != file.version)
    after = replace(before, mappings=overlaid(before.mappings, files))
    systems = {file.system for file in files if file.direction == "in"}
    connections = {name for name, each in before.connections.items() if each.system in systems}
    return Candidate(files, before, after, frozenset(connections))


@dataclass(frozen=True, slots=True)
class Store:
    """Where receipts are kept."""

    engine: AsyncEngine
    archive: Archive


async def compare(
    store: Store,
    site: Site,
    given: tuple[Candidate, stored.Chosen],
    tally: Tally,
    progress: Callable[[int], None],
) -> int:
    """Count into `tally` what the candidate changes.

    Args:
        store: the ledger and the archive.
        site: how many workers there are, and their limits.
        given: the candidate, and which receipts.
        tally: counts.
        progress: told how many receipts were done since it was last told.

    Returns:
        How many receipts could not be read back from the archive.

    """
    offered, chosen = given
    # Both sets work at once: half of the processes each.
    settings = site.workers.model_copy(update={"processes": max(1, site.workers.processes // 2)})
    unreadable = 0
    async with (
        WorkerPool(offered.before, settings) as old,
        WorkerPool(offered.after, settings) as new,
    ):
        async for page in stored.pages(store.engine, store.archive, chosen):
            before, after = await asyncio.gather(
                old.normalize(page.receipts), new.normalize(page.receipts)
            )
            for receipt, partner, was, now in zip(
                page.receipts, page.partners, before, after, strict=True
            ):
                tally.add(receipt.id, partner, was, now)
            unreadable += page.unreadable
            progress(len(page.receipts) + page.unreadable)
    return unreadable
