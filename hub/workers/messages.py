"""What a worker and its parent say to each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from connectors.base import Receipt

Kind = Literal["normalize", "render", "encode"]
"""The jobs, by the function of `hub.workers.jobs` that does them."""


class Settings(NamedTuple):
    """How a worker guards itself."""

    seconds: float
    """How long one document may take."""
    memory_mb: int
    """How much memory beyond what it has once it is ready."""


class Task(NamedTuple):
    """One job: which, its argument, and the steps that have cost a worker before, and how."""

    kind: Kind
    job: Any
    """A job of `hub.workers.jobs`; of a receipt, `receipt_values`."""
    blamed: Mapping[int, str] = {}


class Reply(NamedTuple):
    """The results of a chunk, in its order; a `HubError` stands for a job that raised it."""

    results: list[Any]
    leaving: bool = False
    """The worker has not given much of its memory back and ends now, to be replaced."""


def receipt_values(receipt: Receipt) -> tuple[Any, ...]:
    """A receipt as a plain tuple for `Receipt`: pickled in a third of the time."""
    return (
        receipt.id,
        receipt.connection,
        receipt.delivery_id,
        receipt.received_at,
        receipt.body,
        receipt.flow,
        receipt.content_type,
        dict(receipt.facts),
    )


READY = "ready"
"""What a worker says once it has built its tools; a `ConfigError` in its place says why it cannot."""

OUT_OF_MEMORY = 77
"""The exit status of a worker that ran into its memory limit and could still say so."""
