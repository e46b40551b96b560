"""The jobs of a worker and their results, as values.

What is done with them stands in `hub.workers.reading` (a receipt into documents) and
`hub.workers.writing` (a document into a target's words and bytes).

Codes of the errors made there, beside those of codecs, `hub.mapping.engine` and
`hub.mapping.validation`:

- ``mapping_missing``: no mapping file for this flow
- ``mapping_too_large``: a result of more than 16 MB
- ``document_too_large``: a canonical document of more than 8 MB, which no event can carry
- ``worker_timeout``, ``worker_died``, ``worker_memory``: this document, alone in a worker, ran over
  its deadline, ended the process or used up its memory
- ``internal_error``: a codec or a step of ours raised what it must not; `where` is the line
"""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

from canonical.base import Purpose
from canonical.errors import HubError, Rejected
from connectors.base import Answer, Confirmation, Interchange, Json, Numbers

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
    confirms: tuple[Confirmation, ...] = ()


class NormalizeResult(NamedTuple):
    """All that came of one receipt, in its order, and what is owed to the sender."""

    documents: tuple[Normalized | Failed | Acknowledged, ...]
    answers: tuple[Answer, ...] = ()
    interchanges: tuple[Interchange, ...] = ()


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


def ours(error: Exception) -> HubError:
    """An error that may cross a boundary; the text of any other may quote the document."""
    if isinstance(error, HubError):
        return error
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return Rejected("internal_error", place, type(error).__name__)
