"""NATS streams, consumers and subjects, declared once and only here.

Measured reasons for the settings:
- Limits retention: a work queue forgets message ids at a restart, so a retried publish is stored
  twice.
- ``discard=new`` where NATS has the only copy (INTAKE, bodies): a full stream refuses, and the
  sender hears it; ``old`` would silently drop what nobody has processed yet.
- ``discard=old`` where the ledger has it all (CANONICAL, DEAD) and the stream only tells. A full
  CANONICAL that refused kept everything new from every listener for days, until the oldest was a
  week old, and let the outbox grow without bound: all listeners paid for one that was away, or for
  nobody. What goes unread instead is told (`hub/watch.py`: how full; `hub/jobs.py`: who missed it).
- File storage, never ``persist_mode=async``: an acknowledged message must survive ``kill -9``.
- A dedupe window of minutes: it only has to outlast a retried publish; the ledger remembers for good.
"""

from __future__ import annotations

import asyncio
import base64
import re
from dataclasses import dataclass, replace

from nats.js import JetStreamContext
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DiscardPolicy,
    RetentionPolicy,
    StorageType,
    StreamConfig,
    StreamInfo,
)
from nats.js.errors import BadRequestError, NotFoundError, ServerError

from canonical.errors import ConfigError

INTAKE = "INTAKE"
CANONICAL = "CANONICAL"
DEAD = "DEAD"
ADVISORY = "ADVISORY"
BUCKET = "bodies"
"""The object store of bodies that are too large for one message."""
BODIES = f"OBJ_{BUCKET}"
"""Its stream."""

LEDGER_KEY = "crossdock-ledger"
"""Stream metadata: the id of the ledger that these streams belong to."""

_GIB = 1024**3
_DAY = 86_400.0
DEDUPE_SECONDS = 600.0
"""How long a stream knows a message id; longer than any retry of a publish takes."""

_PLAIN_TOKEN = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)

_NAME_IN_USE = 10058
"""The server's err_code: the stream is there, with another configuration."""

WAKE_PREFIX = "deliver-"
NORMALIZE = "normalize"
"""The durable consumer that all normalize replicas share."""


def token(text: str) -> str:
    """Encode a name for use as one subject token.

    Ids that come from outside may hold dots, wildcards and blanks, which mean something in a
    subject. Names of ours (lower case, digits, hyphens) stay readable.
    """
    if _PLAIN_TOKEN.fullmatch(text):
        return text
    return "b32_" + base64.b32encode(text.encode()).decode().rstrip("=").lower()


def intake_subject(connection: str, flow: str) -> str:
    """Return ``intake.<connection>.<doc>``."""
    return f"intake.{token(connection)}.{token(flow or 'file')}"


def canonical_subject(entity: str, verb: str) -> str:
    """Return ``canonical.<entity>.<verb>``."""
    return f"canonical.{token(entity)}.{token(verb)}"


def dead_subject(stage: str, connection: str) -> str:
    """Return ``dead.<stage>.<connection>``."""
    return f"dead.{token(stage)}.{token(connection)}"


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much a stream may hold; whether a full one refuses, `streams` says."""

    intake: int = 4 * _GIB
    canonical: int = 8 * _GIB
    dead: int = 2 * _GIB
    bodies: int = 4 * _GIB
    canonical_seconds: float = 7 * _DAY
    replicas: int = 1


def streams(ledger_id: str, sizes: Sizes) -> list[StreamConfig]:
    """Return all streams of one hub on one ledger."""
    base = StreamConfig(
        retention=RetentionPolicy.LIMITS,
        storage=StorageType.FILE,
        discard=DiscardPolicy.NEW,
        duplicate_window=DEDUPE_SECONDS,
        num_replicas=sizes.replicas,
        allow_atomic=True,
        allow_direct=True,
        metadata={LEDGER_KEY: ledger_id},
    )
    return [
        replace(base, name=INTAKE, subjects=["intake.>"], max_bytes=sizes.intake),
        replace(
            base,
            name=CANONICAL,
            subjects=["canonical.>"],
            max_bytes=sizes.canonical,
            max_age=sizes.canonical_seconds,
            discard=DiscardPolicy.OLD,
        ),
        replace(
            base,
            name=DEAD,
            subjects=["dead.>"],
            max_bytes=sizes.dead,
            max_age=30 * _DAY,
            discard=DiscardPolicy.OLD,
        ),
        StreamConfig(
            name=BODIES,  # an object store's own layout (ADR-20), so that any NATS tool can look
            subjects=[f"$O.{BUCKET}.C.>", f"$O.{BUCKET}.M.>"],
            retention=RetentionPolicy.LIMITS,
            storage=StorageType.FILE,
            discard=DiscardPolicy.NEW,
            max_bytes=sizes.bodies,
            allow_rollup_hdrs=True,
            num_replicas=sizes.replicas,
            metadata={LEDGER_KEY: ledger_id},
        ),
        StreamConfig(
            name=ADVISORY,
            subjects=[
                "$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.>",
                "$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.>",
            ],
            retention=RetentionPolicy.LIMITS,
            storage=StorageType.FILE,
            max_bytes=64 * 1024**2,
            max_age=7 * _DAY,
            num_replicas=sizes.replicas,
            metadata={LEDGER_KEY: ledger_id},
        ),
    ]


_NO_STORE = 10049
"""NATS: "error creating store for stream"; seen where its folder was being deleted meanwhile."""
_STORE_PAUSES = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6)

ACK_WAIT_SECONDS = 10.0
"""How soon another replica takes over what a dead one had in hand; a living one renews it."""


def normalize_consumer(ack_wait: float = ACK_WAIT_SECONDS) -> ConsumerConfig:
    """Return the consumer of receipts; it redelivers without end, the ledger counts the deaths."""
    return ConsumerConfig(
        durable_name=NORMALIZE,
        ack_policy=AckPolicy.EXPLICIT,
        ack_wait=ack_wait,
        max_deliver=-1,
        max_ack_pending=4000,
    )


def wake_consumer(target: str) -> ConsumerConfig:
    """Return the consumer that tells one target that there is work; the ledger holds the work."""
    return ConsumerConfig(
        durable_name=f"{WAKE_PREFIX}{token(target)}",
        ack_policy=AckPolicy.EXPLICIT,
        ack_wait=ACK_WAIT_SECONDS,
        max_deliver=-1,
        max_ack_pending=4000,
        filter_subject="canonical.>",
        headers_only=True,  # it only wakes: nobody reads what the event says
    )


async def declare(js: JetStreamContext, ledger_id: str, sizes: Sizes, first: int = 1) -> list[str]:
    """Make or update the streams.

    Args:
        js: NATS.
        ledger_id: whose streams they are.
        sizes: how large they may grow.
        first: the sequence at which a stream that is made begins. One that grows with time (such
            as microseconds) keeps an acknowledgement of a stream that was wiped from
            acknowledging what has its number in the new one: the server looks at nothing else.

    Returns:
        The names of those that were not there.

    Raises:
        ConfigError: ``foreign_stream`` where a stream belongs to another ledger: this hub would
            acknowledge orders that it never published.
    """
    made = []
    for config in streams(ledger_id, sizes):
        if await _make(js, replace(config, first_seq=first)):
            made.append(str(config.name))
            continue
        await _checked(js, str(config.name), ledger_id)
        await js.update_stream(config)
    return made


async def fills(js: JetStreamContext, ledger_id: str) -> dict[str, float | None]:
    """Return how full each stream is, of 1; None: it is not there.

    Raises:
        ConfigError: ``foreign_stream``, as `declare`.
    """
    found: dict[str, float | None] = {}
    for config in streams(ledger_id, Sizes()):
        name = str(config.name)
        try:
            info = await _checked(js, name, ledger_id)
        except NotFoundError:
            found[name] = None
        else:
            most = info.config.max_bytes or 0
            found[name] = info.state.bytes / most if most > 0 else 0.0
    return found


async def _add(js: JetStreamContext, config: StreamConfig) -> None:
    """Make a stream; one of its name that was deleted just now may still be cleared away."""
    for pause in _STORE_PAUSES:
        try:
            await js.add_stream(config)
        except ServerError as error:
            if error.err_code != _NO_STORE:
                raise
            await asyncio.sleep(pause)
        else:
            return
    await js.add_stream(config)


async def _make(js: JetStreamContext, config: StreamConfig) -> bool:
    """Make a stream; False: it is there."""
    try:
        await js.stream_info(str(config.name))
    except NotFoundError:
        try:
            await _add(js, config)
        except BadRequestError as error:
            if error.err_code != _NAME_IN_USE:
                raise
            return False  # another replica was faster
        return True
    return False


async def _checked(js: JetStreamContext, name: str, ledger_id: str) -> StreamInfo:
    info = await js.stream_info(name)
    if (info.config.metadata or {}).get(LEDGER_KEY) != ledger_id:
        raise ConfigError("foreign_stream", name, "the stream belongs to another ledger")
    return info


async def declare_consumer(js: JetStreamContext, stream: str, config: ConsumerConfig) -> None:
    """Make or update one durable consumer; safe to call again."""
    await js.add_consumer(stream, config)
