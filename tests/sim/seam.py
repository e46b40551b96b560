"""The seam: the few names of the hub that a simulated run replaces, and nothing else.

Everything above it is the hub's own code: the store of receipts, the publisher, the normalize role,
the pipeline, the decider, releasing holds, the relay, the deliver role with its courier, breaker,
limiter and budget. Below it stand the statements of `hub.ledger` (modelled in `sql_*.py`), the pull
runner (which keeps real time), and some waits that would only cost steps.
"""

from __future__ import annotations

import gc
import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import structlog

import hub.delivery.clerk
import hub.delivery.role
import hub.normalizer
import hub.pipeline
import hub.publisher
import hub.relay
import hub.release.holds
from hub.ledger import (
    audit,
    bulk,
    calls,
    dead_letters,
    deliveries,
    holds,
    inbox,
    keys,
    outbox,
    recovered,
    reference,
    settlements,
)
from tests.sim import sql_decide, sql_deliver
from tests.sim.nats_client import Runner

Patch = tuple[Any, str, Any]
"""(module or class, name, what stands there instead)."""


def _named(module: Any, model: Any, *names: str) -> list[Patch]:
    return [(module, name, getattr(model, name)) for name in names]


def _ledger() -> list[Patch]:
    decide, deliver = sql_decide, sql_deliver
    return [
        *_named(bulk, decide, "copy", "insert"),
        *_named(
            inbox, decide, "first_with_same_bytes", "admit", "mark_duplicates", "suspect", "acquit"
        ),
        *_named(keys, decide, "guard", "lock", "save", "fall_back", "purchases"),
        (reference, "stamps", decide.stamps),
        (reference, "unread", decide.unread),
        (reference, "save", decide.save_snapshots),
        *_named(
            dead_letters,
            decide,
            "close_replayed",
            "lock_replaying",
            "documents_of",
            "to_resubmit",
            "reopen",
        ),
        *_named(outbox, decide, "take", "forget", "set_aside", "behind"),
        *_named(holds, decide, "lock_open", "close", "parked", "key_of", "becomes"),
        (hub.release.holds, "_document", decide.document),
        (hub.release.holds, "_update", decide.update),
        (hub.release.holds, "order_in_force", decide.in_force),
        (hub.release.holds, "_came_again", decide.came_again),
        (audit, "append", decide.record),
        (hub.pipeline, "by_index", decide.by_index),
        *_named(deliveries, deliver, "claim"),
        *_named(calls, deliver, "begin", "answered"),
        (hub.delivery.clerk, "for_many", deliver.for_many),
        *_named(recovered, deliver, "hasten", "waiting"),
        *_named(
            settlements,
            deliver,
            "leave_alone",
            "renew",
            "put_back",
            "settle_later",
            "settle_dead",
        ),
    ]


def _rest() -> list[Patch]:
    tokens = itertools.count(1)
    return [
        (hub.normalizer, "PullRunner", Runner),
        (hub.delivery.role, "new_id", lambda _now: f"claim-{next(tokens)}"),
        (hub.relay, "_IDLE_SECONDS", 40.0),
        (hub.publisher, "MIN_BATCH", 2),
    ]


_LEDGER = _ledger()


@contextmanager
def replaced(patches: Sequence[Patch]) -> Iterator[None]:
    """Replace names; each stands as before when the block ends."""
    before = []
    try:
        for owner, name, value in patches:
            before.append((owner, name, getattr(owner, name)))
            setattr(owner, name, value)
        yield
    finally:
        for owner, name, value in reversed(before):
            setattr(owner, name, value)


@contextmanager
def simulated(planted: Sequence[Patch] = ()) -> Iterator[None]:
    """Run the hub's code on simulated servers, without logs; `planted` bugs go on top."""
    configured = structlog.get_config()
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(50), cache_logger_on_first_use=False
    )
    gc.collect()
    gc.freeze()
    usual = gc.get_threshold()
    gc.set_threshold(50_000)
    try:
        with replaced([*_LEDGER, *_rest(), *planted]):
            yield
    finally:
        gc.set_threshold(*usual)
        gc.unfreeze()
        structlog.configure(**configured)
