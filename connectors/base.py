"""What a connector is: two thin interfaces, their contract in the docstrings.

A connector teaches the hub one system: a **codec** says what its bytes mean (pure, runs in worker
processes), a **client** calls it (async, runs in the hub). Mappings between a system's words and
the canonical vocabulary are data in ``mappings/<system>/``, not part of the connector.

A new system is one folder with ``config.py``, ``codec.py``, ``client.py`` (if we call it),
``webhook.py`` (if it calls us), ``samples/`` and ``README.md``, and one line in ``registry.py``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Protocol, runtime_checkable

from pydantic import BaseModel, ConfigDict

from canonical.errors import HubError
from connectors.reach import Reach

Json = dict[str, Any]
"""A source document's body: plain JSON; decimals are text, never floats."""


class ConnectorConfig(BaseModel):
    """Base of every connector's options, as they stand under ``options:`` in a connection's YAML."""

    # pydantic quotes what it refuses, and options hold secrets.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    @property
    def control_scope(self) -> str | None:
        """Where outbound control numbers are counted; None: the format has none."""
        return None

    @property
    def file_suffix(self) -> str:
        """The ending of files that are left for the partner."""
        return ".json"

    @property
    def is_test(self) -> bool | None:
        """Whether what comes and goes here is agreed to be a test; None: the format says nothing."""
        return None

    @property
    def confirmed_within(self) -> timedelta | None:
        """How long the partner may take to acknowledge what we send; None: it never does."""
        return None

    @property
    def gap_after(self) -> timedelta | None:
        """How long a skipped interchange number may be late; None: numbers may be skipped."""
        return None


@dataclass(frozen=True, slots=True)
class Receipt:
    """The bytes exactly as they came, and what the transport knows about them."""

    id: str
    """The hub's id of this acceptance."""
    connection: str
    delivery_id: str
    """The sender's transport identity: the same delivery again has the same id."""
    received_at: datetime
    body: bytes
    flow: str = ""
    """What the transport says it is (a webhook topic, a polled collection); "" for a file."""
    content_type: str = "application/octet-stream"
    facts: Mapping[str, str] = field(default_factory=dict)
    """Bounded transport facts, such as the file's name; never credentials."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a partner rejects something, or what it noted: a word, a place, plain words; no values."""

    code: str
    where: str
    detail: str


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What an acknowledgement says of one document that we sent."""

    number: int
    """The control number that our document went out with (`Numbers`); 0: it names none."""
    state: str
    """``accepted``, ``accepted_with_errors``, ``rejected``, ``received``: nothing is said yet of
    what is in it, or ``duplicate``: refused for nothing but its number, which it has already. The
    ledger knows whether that is our own copy (received) or another document (rejected)."""
    reasons: tuple[Reason, ...] = ()
    document: str = ""
    """Our document's own number, where that is named; with a control number, both must fit."""
    entities: tuple[str, ...] = ()
    """What kinds of document `document` numbers; none: any. Of others it says nothing."""
    scope: str = ""
    """Where `number` was counted (`ConnectorConfig.control_scope`)."""
    flows: tuple[str, ...] = ()
    """The sets that it can be about, as the answer names them; none: any."""


@dataclass(frozen=True, slots=True)
class SourceDocument:
    """One document in the source's own words.

    `flow` picks the mapping ``mappings/<system>/<flow>.<entity>.jsonata``.
    """

    flow: str
    position: int
    """Which document of the receipt it is, from 0."""
    where: str
    """Where it stands in the receipt, as a person would find it: ``ISA 000000905 GS 1 ST 0001``."""
    body: Json
    control: Mapping[str, str] = field(default_factory=dict)
    """Envelope facts: control numbers, sender, receiver, usage."""
    confirms: tuple[Confirmation, ...] = ()
    """What it says of documents of ours, where it is an acknowledgement."""
    textual: bool = False
    """All of the body's leaves are text, and it nests no deeper than its guide: it is not looked
    through again before it is mapped."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A document of the receipt, or all of it (position 0), that cannot be read.

    `answered`: the sender is told so in one of the answers; the document then is *rejected*, and
    otherwise becomes a dead letter, for a person.
    """

    position: int
    where: str
    error: HubError
    flow: str = ""
    answered: bool = False


# What every receipt sends from a worker to the hub is a tuple: pickled without a line of Python.


class Answer(NamedTuple):
    """A document owed to the sender, in the system's own words, such as a 997 or a TA1."""

    flow: str
    body: Json


class Interchange(NamedTuple):
    """One numbered envelope of a receipt, whose number the sender must not use again."""

    number: int
    """What the next one is one more than; 0: the sender's references are no numbers."""
    sha256: str
    """Of its bytes: the same number with the same bytes is a retransmission. "": it was refused as a
    whole; its number is not missing, and may come again."""
    documents: range
    """The positions of its documents."""
    answers: range
    """Which of the receipt's answers are owed for it."""
    conflict: Answer | None = None
    """What is owed in their place where the number came before with other bytes (TA1 025)."""
    reference: str = ""
    """The number as its sender writes it, where two may be equal as numbers and differ as text."""
    element: str = "ISA13"
    """Where in the envelope it stands; the first three letters name the envelope."""
    scope: str = ""
    """Between whom, and for what use, it must be unique; "": on its connection."""

    @property
    def key(self) -> str:
        """What must not come again in its scope."""
        return self.reference or str(self.number)

    @property
    def place(self) -> str:
        """How a person finds it: ``ISA 000000905``."""
        return f"{self.element[:3]} {self.reference or format(self.number, '09d')}"


@dataclass(frozen=True, slots=True)
class Decoded:
    """All that a receipt holds, in order."""

    documents: tuple[SourceDocument | Refusal, ...]
    answers: tuple[Answer, ...] = ()
    interchanges: tuple[Interchange, ...] = ()
    """Numbered envelopes that were read whole and are checked for repeated numbers."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """The control numbers and the moment that one outbound document keeps over all attempts."""

    interchange: int
    group: int
    at: datetime


class Codec(Protocol):
    """Bytes to source documents and back. Pure: no I/O, no clock, no state between calls."""

    def decode(self, receipt: Receipt) -> Decoded:
        """Read a receipt.

        May be called any number of times with the same receipt and gives the same result.
        Never raises on bad bytes: what cannot be read comes back as a `Refusal`.
        """
        ...

    def encode(self, flow: str, body: Json, numbers: Numbers) -> bytes:
        """Write one outbound source document as the bytes of its transport.

        Raises:
            Rejected: the body does not fit the format; `where` names the element.

        """
        ...


@dataclass(frozen=True, slots=True)
class Outbound:
    """One delivery, as a client sees it: the same on every attempt."""

    id: str
    """The ledger's id of the delivery."""
    action: str
    """What to do at the target; the routes in the configuration name it (``create_order``)."""
    reference: str
    """Our reference, which the target keeps and can be asked for."""
    body: Json
    """The mapped document in the target's own words."""
    encoded: bytes
    """The same, written by the codec."""
    file_name: str
    """A safe name where the transport needs one; the same on every attempt under one number."""


@dataclass(frozen=True, slots=True)
class Settled:
    """The target has it. `external_id` is the target's own id; `facts` are short and harmless."""

    external_id: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)


class Client(Protocol):
    """Calls a system. Translates every library error at the edge into an error by action."""

    async def deliver(self, outbound: Outbound) -> Settled:
        """Make one delivery take effect.

        Called again only after `look_up` found nothing, or after an error that says that nothing
        took effect.

        Raises:
            Retryable: nothing took effect; `throttled` where the target is healthy but busy.
            InDoubt: the request left, the answer did not come back.
            Rejected: the target will never take it.

        """
        ...

    async def look_up(self, outbound: Outbound) -> Settled | None:
        """Ask the target by our reference; None: it is certainly not there.

        May be called any number of times. A target that cannot be asked has
        `Capabilities.can_look_up` False and is never called here.

        Raises:
            Retryable: the target could not be asked now.

        """
        ...

    async def close(self) -> None:
        """Release connections; may be called twice."""
        ...


@runtime_checkable
class Knocking(Protocol):
    """A client that can find out, cheaply and without any effect, whether its target is there."""

    async def knock(self) -> bool:
        """Return True where it is there again; False: that cannot be told this way.

        Asked of a target in trouble, where the question `look_up` is not one to the target. A
        target that answers but does not take documents is not there again by answering.

        Raises:
            Retryable: it is not there, or not for us.

        """
        ...


@runtime_checkable
class Comparable(Protocol):
    """A client that can also tell what the target has of a delivery, for people to compare."""

    async def at_target(self, outbound: Outbound) -> Json | None:
        """Return what the target has under our reference, in the words of ``outbound.body``.

        Only what is there for certain; what the target adds of its own may be in it. None: nothing
        that could be compared, such as an order that has been posted since.

        Raises:
            Retryable: the target could not be asked now.

        """
        ...


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a polled collection: bytes as they came, and where to go on."""

    body: bytes
    delivery_id: str
    cursor: str
    """To be stored once the page is safely taken in; the next poll starts there."""


class Poller(Protocol):
    """Reads collections that a system lets us poll."""

    flows: Sequence[str]

    def poll(self, flow: str, cursor: str) -> AsyncIterator[Page]:
        """Yield the pages of `flow` that changed since `cursor` ("" means from the beginning).

        Pages overlap rather than miss: the same row may come twice.

        Raises:
            Retryable: the system could not be asked now; pages already yielded stay valid.

        """
        ...


@dataclass(frozen=True, slots=True)
class WebhookCall:
    """A webhook request before anyone believed it; header names are lower case."""

    headers: Mapping[str, bytes]
    body: bytes
    now: datetime


@dataclass(frozen=True, slots=True)
class Verified:
    """A webhook call whose signature held."""

    delivery_id: str
    flow: str


class Webhook(Protocol):
    """Tells a genuine call from a forged one."""

    def verify(self, call: WebhookCall) -> Verified:
        """Check the signature over the raw bytes, in constant time, against every current secret.

        Raises:
            Rejected: ``signature_missing``, ``signature_invalid`` or ``timestamp_outside_window``.

        """
        ...


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What may be expected of a system; the conformance suite tests what is claimed here."""

    inbound: tuple[str, ...] = ()
    """Flows that the codec reads."""
    outbound: tuple[str, ...] = ()
    """Flows that the codec writes."""
    acknowledgements: tuple[str, ...] = ()
    """Inbound flows that acknowledge what we sent (an X12 997): recorded; mapped only where there is a
    mapping (an 824)."""
    actions: tuple[str, ...] = ()
    """Actions that the client performs."""
    can_look_up: bool = False
    """The target can be asked by our reference."""
    looks_up_itself: bool = False
    """The ledger may answer such a question alone: it does not tell whether the target is there."""
    idempotent: bool = False
    """Delivering the same reference twice has one effect at the target."""
    transports: tuple[str, ...] = ()
    """Kinds of transport by which its documents come or go; none: the check of a site lets any pass."""


class Connector(Protocol):
    """One system: how to build its parts from a connection's options."""

    name: str
    config: type[ConnectorConfig]
    capabilities: Capabilities

    def codec(self, config: ConnectorConfig) -> Codec:
        """The codec; called in every worker process."""
        ...

    def client(self, config: ConnectorConfig, reach: Reach) -> Client | None:
        """The client, or None where we never call this system (files and webhooks only).

        It connects to nothing that `reach` does not give it.
        """
        ...

    def poller(self, config: ConnectorConfig, reach: Reach) -> Poller | None:
        """The poller, or None where there is nothing to poll; `reach` as for the client."""
        ...

    def webhook(self, config: ConnectorConfig) -> Webhook | None:
        """The webhook verifier, or None where the system does not call us."""
        ...
