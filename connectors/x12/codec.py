"""X12 interchanges to source documents and back, as agreed with one partner.

Codes of refusals: those of `engine.faults`, documented in the README. What is wrong with a
transaction set or a group is answered by the group's 997 or 999; what is wrong with an interchange
goes to a person, is answered by a TA1 where that was agreed, and nothing of it is processed.

Codes of `encode`, besides those of `engine.faults`: ``flow_unsupported``, ``version_unsupported``,
``element_unknown``, ``value_invalid``, ``value_holds_delimiter``.
"""

from __future__ import annotations

from canonical.errors import Rejected
from connectors.base import Decoded, Json, Numbers, Receipt
from connectors.x12.agreed import Agreed
from connectors.x12.config import X12Config
from connectors.x12.confirm import FLOWS
from connectors.x12.engine.envelope import walk
from connectors.x12.engine.guide import release_of
from connectors.x12.engine.reader import chunks_of, read
from connectors.x12.engine.writer import Envelope, write, write_interchange_acknowledgment
from connectors.x12.inbox import MAPPED, Inbox

OUTBOUND = (
    "850", "860", "855", "940", "943", "944", "945", "947", "846", "856", "810", "820", "824",
    "204", "990", "214", "210", "997", "TA1",
)  # fmt: skip
"""Transaction sets that we send: answers, and those that a mapping makes. Every other set that has
a guide can be written too."""

ACKNOWLEDGEMENTS = FLOWS
"""Transaction sets that only acknowledge what we sent."""

INBOUND = (*MAPPED, *ACKNOWLEDGEMENTS)
"""Transaction sets that partners may send us."""


class X12Codec:
    """Implements `connectors.base.Codec` for one X12 connection."""

    def __init__(self, config: X12Config) -> None:
        self._config = config
        self._agreed = Agreed(config.guides)

    def decode(self, receipt: Receipt) -> Decoded:
        """Read all interchanges of a file; see `connectors.base.Codec`."""
        inbox = Inbox(self._config, receipt, self._agreed)
        for event in walk(read(chunks_of(receipt.body))):
            inbox.take(event)
        return inbox.result()

    def encode(self, flow: str, body: Json, numbers: Numbers) -> bytes:
        """Write one transaction set as an interchange of its own.

        Raises:
            Rejected: see the module's codes.

        """
        if body.get("transaction_set", flow) != flow:
            raise Rejected("flow_unsupported", "transaction_set", "expected the flow's own set")
        version = body.get("version", self._config.version)
        if not isinstance(version, str) or release_of(version) is None:
            raise Rejected("version_unsupported", "version", "no guide for this version")
        envelope = self._envelope(version, numbers)
        if flow == "TA1":
            return write_interchange_acknowledgment(body, envelope)
        guide = self._agreed.guide(flow, version)
        if guide is None:
            raise Rejected("flow_unsupported", "transaction_set", "no guide for this set")
        return write(
            guide, body, envelope, lambda segments: self._agreed.faults(flow, version, segments)
        )

    def _envelope(self, version: str, numbers: Numbers) -> Envelope:
        return Envelope(
            sender=self._config.us(),
            receiver=self._config.partner(),
            version=version,
            usage=self._config.usage,
            interchange=numbers.interchange,
            group=numbers.group,
            at=numbers.at,
            delimiters=self._config.delimiters(version),
            line_breaks=self._config.line_breaks,
            balanced=self._config.outbound_checks == "application",
        )
