"""Reading: receipts into canonical documents with their identities.

The receipts of a chunk go through the stages together: all are decoded, then all are mapped, then
all are validated. A stage's code and tables stay in the processor's caches that way, which makes
the whole some 15 % cheaper than one receipt after the other. The result is the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from canonical import Document
from canonical.errors import ConfigError, Rejected
from canonical.identity import business_key, content_id, po_key
from canonical.summary import summarise
from connectors.base import Answer, Interchange, Json, Receipt, Refusal, SourceDocument
from hub.mapping.library import Compiled
from hub.mapping.validation import validate
from hub.workers.jobs import (
    DETAILS,
    Acknowledged,
    Failed,
    Given,
    Normalized,
    NormalizeResult,
    Stage,
    ours,
)
from hub.workers.progress import DECODE
from hub.workers.tools import Tools

_MOST_BYTES = 16_000_000
MOST_DOCUMENT_BYTES = 8_000_000
"""What the broker takes (`hub.servers.nats.MAX_PAYLOAD`, 8 MiB) less room for envelope and headers:
a document beyond it could be decided and delivered, and no listener would ever hear of it."""
_SECONDS_PER_MEGABYTE = 0.5
"""A large receipt may be read for longer than one document may be mapped."""


class _Read(NamedTuple):
    """A document and one of its mappings, still to be applied."""

    step: int
    source: SourceDocument
    compiled: Compiled


class _Mapped(NamedTuple):
    """What a mapping made of a document, still to be validated."""

    read: _Read
    text: bytes


def normalize(tools: Tools, receipts: Sequence[tuple[Receipt, Given]]) -> list[NormalizeResult]:
    """Decode, map, validate and identify all that receipts hold; one result for each, in order.

    Never raises, but for a lack of memory: what cannot go on comes back as `Failed`, beside
    everything that can.
    """
    readings = [_Reading(tools, receipt, given) for receipt, given in receipts]
    for reading in readings:
        reading.decode()
    for reading in readings:
        reading.map()
    return [reading.finish() for reading in readings]


class _Reading:
    """One receipt on its way through the stages."""

    def __init__(self, tools: Tools, receipt: Receipt, given: Given) -> None:
        self._tools = tools
        self._receipt = receipt
        self._given = given
        self._read: list[_Read | Failed | Acknowledged] = []
        self._mapped: list[_Mapped | Failed | Acknowledged] = []
        self._answers: tuple[Answer, ...] = ()
        self._interchanges: tuple[Interchange, ...] = ()
        self._bindings: Json = {}
        self._steps = 0

    def decode(self) -> None:
        """Read the bytes."""
        receipt = self._receipt
        allowance = len(receipt.body) / 1e6 * _SECONDS_PER_MEGABYTE
        self._given.progress.begin(DECODE, self._given.seconds + allowance)
        try:
            bound = self._tools.connection(receipt.connection)
            decoded = bound.codec.decode(receipt)
        except MemoryError:
            raise
        except Exception as error:  # a codec never raises; one that does must not stop the others
            self._read = [Failed(0, "", receipt.flow, None, "decode", ours(error))]
            return
        self._answers = decoded.answers
        self._interchanges = decoded.interchanges
        received_on = receipt.received_at.date().isoformat()
        self._bindings = {**bound.bindings, "received_on": received_on}
        for item in decoded.documents:
            if isinstance(item, Refusal):
                self._read.append(_refused(item))
                continue
            if item.flow in bound.acknowledgements:
                self._read.append(_acknowledged(item))
                if not self._tools.library.maps(bound.system, item.flow):
                    continue  # an 824 says something of what we sent, and is a document, too
            self._take(item, bound.system)

    def map(self) -> None:
        """Map each document to every entity that its flow becomes."""
        self._mapped = [
            self._map_one(each) if isinstance(each, _Read) else each for each in self._read
        ]

    def finish(self) -> NormalizeResult:
        """Validate and identify."""
        done = (
            self._finish_one(each) if isinstance(each, _Mapped) else each for each in self._mapped
        )
        return NormalizeResult(tuple(done), self._answers, self._interchanges)

    def _take(self, source: SourceDocument, system: str) -> None:
        """Find the mappings of a document; each of them is a step of its own."""
        try:
            mappings = self._tools.library.inbound(system, source.flow)
        except ConfigError as error:
            # One stray document must not stop the hub: it is refused, not a fault of the set-up.
            missing = Rejected(error.code, error.where, "no mapping for this flow")
            self._read.append(_failed(source, None, "map", missing))
            return
        for compiled in mappings:
            self._read.append(_Read(self._steps, source, compiled))
            self._steps += 1

    def _map_one(self, read: _Read) -> _Mapped | Failed:
        try:
            text = self._applied(read)
        except MemoryError:
            raise
        except Exception as error:
            return _failed(read.source, read.compiled, "map", error)
        return _Mapped(read, text)

    def _applied(self, read: _Read) -> bytes:
        name = read.compiled.name
        if read.step in self._given.blamed:
            code = self._given.blamed[read.step]
            raise Rejected(code, name, DETAILS[code])
        self._given.progress.begin(read.step, self._given.seconds)
        bindings = {**self._bindings, "control": dict(read.source.control)}
        source = read.source
        text = read.compiled.mapping.written(source.body, bindings, textual=source.textual)
        if len(text) > _MOST_BYTES:
            raise Rejected("mapping_too_large", name, f"more than {_MOST_BYTES} bytes")
        return text

    def _finish_one(self, mapped: _Mapped) -> Normalized | Failed:
        step, source, compiled = mapped.read
        self._given.progress.begin(step, self._given.seconds)
        try:
            document = validate(compiled.entity, mapped.text)
            return _identified(source, compiled, document, self._bindings["partner"]["key"])
        except MemoryError:
            raise
        except Exception as error:
            return _failed(source, compiled, "validate", error)


def _refused(refusal: Refusal) -> Failed:
    return Failed(
        refusal.position,
        refusal.where,
        refusal.flow,
        None,
        "decode",
        refusal.error,
        refusal.answered,
    )


def _acknowledged(source: SourceDocument) -> Acknowledged:
    return Acknowledged(
        source.position,
        source.where,
        source.flow,
        dict(source.control),
        source.body,
        source.confirms,
    )


def _failed(
    source: SourceDocument, compiled: Compiled | None, stage: Stage, error: Exception
) -> Failed:
    return Failed(
        source.position,
        source.where,
        source.flow,
        compiled.entity if compiled else None,
        stage,
        ours(error),
        mapping_version=compiled.version if compiled else None,
    )


def _identified(
    source: SourceDocument, compiled: Compiled, document: Document, partner: str
) -> Normalized:
    text = document.model_dump_json(exclude_none=True).encode()
    if len(text) > MOST_DOCUMENT_BYTES:
        raise Rejected(
            "document_too_large", compiled.name, f"more than {MOST_DOCUMENT_BYTES} bytes"
        )
    facts = summarise(document)
    purchase = None
    if facts.buyer_account is not None and facts.buyer_po is not None:
        purchase = po_key(facts.buyer_account, facts.buyer_po)
    return Normalized(
        position=source.position,
        place=source.where,
        flow=source.flow,
        control=dict(source.control),
        entity=compiled.entity,
        canonical_json=text,
        business_key=str(business_key(document, partner)),
        content_id=content_id(document),
        purpose=document.purpose(),
        sequence=document.sequence(),
        number=facts.number,
        reference_number=facts.reference_number,
        buyer_account=facts.buyer_account,
        buyer_po=facts.buyer_po,
        amount=None if facts.amount is None else format(facts.amount, "f"),
        currency=facts.currency,
        mapping_version=compiled.version,
        po_key=purchase,
    )
