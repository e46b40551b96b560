"""The jobs of a worker: a receipt into documents, a document into a target's words and bytes.

Pure functions of their arguments: the same receipt gives the same result, in a worker or in the
calling process. Codes of the errors made here, beside those of codecs, `hub.mapping.engine` and
`hub.mapping.validation`:

- ``mapping_missing``: no mapping file for this flow
- ``mapping_too_large``: a result of more than 16 MB
- ``worker_timeout``, ``worker_died``, ``worker_memory``: this document, alone in a worker, ran over
  its deadline, ended the process or used up its memory
- ``internal_error``: a codec or a step of ours raised what it must not; `where` is the line
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

import orjson

from canonical import Document
from canonical.base import Purpose
from canonical.errors import ConfigError, HubError, Rejected
from canonical.identity import business_key, content_id, po_key
from canonical.summary import summarise
from connectors.base import Answer, Decoded, Json, Numbers, Receipt, Refusal, SourceDocument
from hub.mapping.library import Compiled
from hub.mapping.validation import validate
from hub.workers.progress import DECODE
from hub.workers.tools import Bound, Tools

_MOST_BYTES = 16_000_000
_SECONDS_PER_MEGABYTE = 0.5
"""A large receipt may be read for longer than one document may be mapped."""

Stage = Literal["decode", "map", "validate"]

DETAILS = {
    "worker_timeout": "it ran over its deadline and was killed",
    "worker_died": "the worker process died of it",
    "worker_memory": "it needs more memory than a worker may use",
}
"""Why a document was given up after it had cost a worker."""


class Normalized(NamedTuple):
    """One canonical document that came out of a receipt."""

    position: int
    place: str
    flow: str
    control: Mapping[str, str]
    entity: str
    canonical_json: bytes
    """Compact JSON, nulls left out."""
    business_key: str
    content_id: str
    purpose: Purpose
    sequence: int
    number: str | None
    reference_number: str | None
    buyer_account: str | None
    buyer_po: str | None
    amount: str | None
    currency: str | None
    mapping_version: str
    po_key: str | None


class Failed(NamedTuple):
    """One document, or a whole receipt, that could not go on."""

    position: int
    place: str
    flow: str
    entity: str | None
    stage: Stage
    error: HubError
    answered: bool = False
    mapping_version: str | None = None


class Acknowledged(NamedTuple):
    """A document that only acknowledges what we sent (an X12 997): recorded, not mapped."""

    position: int
    place: str
    flow: str
    control: Mapping[str, str]
    body: Json


class NormalizeResult(NamedTuple):
    """All that came of one receipt, in its order, and what is owed to the sender."""

    documents: tuple[Normalized | Failed | Acknowledged, ...]
    answers: tuple[Answer, ...] = ()


class RenderJob(NamedTuple):
    """A canonical document to be written for a target."""

    connection: str
    entity: str
    flow: str
    canonical_json: bytes
    control: Json
    """What the mapping reads as ``$control``: reference, number, ..."""
    numbers: Numbers


class Rendered(NamedTuple):
    """A document in the target's own words, and as bytes."""

    body: Json
    encoded: bytes
    mapping_version: str


class EncodeJob(NamedTuple):
    """A body that needs no mapping (an answer such as a 997) to be written as bytes."""

    connection: str
    flow: str
    body: Json
    numbers: Numbers


class Watched(Protocol):
    """Where a job says which step it begins; step `DECODE`, then the documents from 0."""

    def begin(self, step: int, seconds: float) -> None:
        """A step begins and may take so long."""


class Given(NamedTuple):
    """What a worker knows beside the job itself."""

    seconds: float
    """How long one document may take."""
    progress: Watched
    blamed: Mapping[int, str] = {}
    """Steps that have cost a worker before, and how: they are given up instead of tried again."""


def normalize(tools: Tools, receipt: Receipt, given: Given) -> NormalizeResult:
    """Decode, map, validate and identify all that a receipt holds.

    Never raises: what cannot go on comes back as `Failed`, beside everything that can.
    """
    megabytes = len(receipt.body) / 1e6
    given.progress.begin(DECODE, given.seconds + megabytes * _SECONDS_PER_MEGABYTE)
    try:
        bound = tools.connection(receipt.connection)
        decoded = bound.codec.decode(receipt)
    except MemoryError:
        raise
    except Exception as error:  # a codec never raises; one that does must not stop the others
        failed = Failed(0, "", receipt.flow, None, "decode", ours(error))
        return NormalizeResult((failed,))
    work = _Work(tools, bound, given, receipt.received_at.date().isoformat())
    return NormalizeResult(tuple(work.documents(decoded)), decoded.answers)


class _Work(NamedTuple):
    """One receipt in the making."""

    tools: Tools
    bound: Bound
    given: Given
    received_on: str

    def documents(self, decoded: Decoded) -> Iterator[Normalized | Failed | Acknowledged]:
        step = 0
        for item in decoded.documents:
            if isinstance(item, Refusal):
                yield Failed(
                    item.position, item.where, item.flow, None, "decode", item.error, item.answered
                )
            elif item.flow in self.bound.acknowledgements:
                yield Acknowledged(
                    item.position, item.where, item.flow, dict(item.control), item.body
                )
            else:
                for made in self.entities(item, step):
                    step += 1
                    yield made

    def entities(self, source: SourceDocument, step: int) -> Iterator[Normalized | Failed]:
        """One result for each entity that the flow becomes; the steps count from `step`."""
        try:
            mappings = self.tools.library.inbound(self.bound.system, source.flow)
        except ConfigError as error:
            # One stray document must not stop the hub: it is refused, not a fault of the set-up.
            missing = Rejected(error.code, error.where, "no mapping for this flow")
            yield Failed(source.position, source.where, source.flow, None, "map", missing)
            return
        for offset, compiled in enumerate(mappings):
            yield self.one(source, compiled, step + offset)

    def one(self, source: SourceDocument, compiled: Compiled, step: int) -> Normalized | Failed:
        stage: Stage = "map"
        try:
            if step in self.given.blamed:
                code = self.given.blamed[step]
                raise Rejected(code, compiled.name, DETAILS[code])  # noqa: TRY301
            self.given.progress.begin(step, self.given.seconds)
            text = self.mapped(source, compiled)
            stage = "validate"
            document = validate(compiled.entity, text)
            return _identified(source, compiled, document, self.bound.bindings["partner"]["key"])
        except MemoryError:
            raise
        except Exception as error:
            return Failed(
                source.position,
                source.where,
                source.flow,
                compiled.entity,
                stage,
                ours(error),
                mapping_version=compiled.version,
            )

    def mapped(self, source: SourceDocument, compiled: Compiled) -> bytes:
        bindings = {
            **self.bound.bindings,
            "control": dict(source.control),
            "received_on": self.received_on,
        }
        text = orjson.dumps(compiled.mapping.apply(source.body, bindings))
        if len(text) > _MOST_BYTES:
            raise Rejected("mapping_too_large", compiled.name, f"more than {_MOST_BYTES} bytes")
        return text


def _identified(
    source: SourceDocument, compiled: Compiled, document: Document, partner: str
) -> Normalized:
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
        canonical_json=document.model_dump_json(exclude_none=True).encode(),
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


def render(tools: Tools, job: RenderJob, given: Given) -> Rendered:
    """Write a canonical document in a target's own words and bytes.

    ``$received_on`` is the day of the job's control numbers.

    Raises:
        Rejected: the mapping or the codec refuses it.
        ConfigError: there is no such connection or mapping.

    """
    given.progress.begin(0, given.seconds)
    bound = tools.connection(job.connection)
    compiled = tools.library.outbound(bound.system, job.entity, job.flow)
    bindings = {
        **bound.bindings,
        "control": job.control,
        "received_on": job.numbers.at.date().isoformat(),
    }
    body = compiled.mapping.apply(orjson.loads(job.canonical_json), bindings)
    encoded = bound.codec.encode(job.flow, body, job.numbers)
    return Rendered(body, encoded, compiled.version)


def encode(tools: Tools, job: EncodeJob, given: Given) -> bytes:
    """Write a body that needs no mapping as bytes.

    Raises:
        Rejected: the codec refuses it.
        ConfigError: there is no such connection.

    """
    given.progress.begin(0, given.seconds)
    return tools.connection(job.connection).codec.encode(job.flow, job.body, job.numbers)


def ours(error: Exception) -> HubError:
    """An error that may cross a boundary; the text of any other may quote the document."""
    if isinstance(error, HubError):
        return error
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return Rejected("internal_error", place, type(error).__name__)
