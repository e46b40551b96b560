"""EDIFACT interchanges to source documents and back, as agreed with one partner.

Codes of refusals: those of `engine.faults`, documented in the README. What is wrong with a message,
a group or an interchange is answered by a CONTRL, as far as its sender is this partner.

Codes of `encode`, besides those of `engine.faults`: ``flow_unsupported``, ``version_unsupported``,
``element_unknown``, ``value_invalid``, ``value_holds_delimiter``, ``character_not_in_charset``,
``interchange_control_invalid``.
"""

from __future__ import annotations

from canonical.errors import Rejected
from connectors.base import Decoded, Json, Numbers, Receipt
from connectors.edifact.config import EdifactConfig
from connectors.edifact.confirm import FLOWS
from connectors.edifact.engine.directory import messages, reading
from connectors.edifact.engine.envelope import walk
from connectors.edifact.engine.reader import chunks_of, read
from connectors.edifact.engine.writer import Envelope, Side, write
from connectors.edifact.guides_of import Guides
from connectors.edifact.inbox import INBOUND, Inbox

OUTBOUND = (
    "ORDERS", "ORDCHG", "ORDRSP", "DESADV", "RECADV", "INVOIC", "INVRPT", "IFTSTA", "CONTRL",
    "APERAK",
)  # fmt: skip
"""Messages that we send: answers, and those that a mapping makes. Every other message that has a
guide can be written too."""

ACKNOWLEDGEMENTS = FLOWS
"""Messages that only acknowledge what we sent."""

__all__ = ["ACKNOWLEDGEMENTS", "INBOUND", "OUTBOUND", "EdifactCodec"]

_SERVICE_VERSIONS = {"3": ("D", "3"), "4": ("4", "1")}
"""Syntax version -> the version of CONTRL that belongs to it."""


class EdifactCodec:
    """Implements `connectors.base.Codec` for one EDIFACT connection."""

    def __init__(self, config: EdifactConfig) -> None:
        self._config = config
        self._guides = Guides(config)
        for message in config.guide:
            # A mistake in the options is told when the hub starts, not by the first order.
            self._guides.guide(message, config.version)

    def decode(self, receipt: Receipt) -> Decoded:
        """Read all interchanges of a file; see `connectors.base.Codec`."""
        inbox = Inbox(self._config, receipt, self._guides)
        for event in walk(read(chunks_of(receipt.body))):
            inbox.take(event)
        return inbox.result()

    def encode(self, flow: str, body: Json, numbers: Numbers) -> bytes:
        """Write one message as an interchange of its own.

        Raises:
            Rejected: see the module's codes.

        """
        if flow not in messages() or body.get("message", flow) != flow:
            known = ", ".join(messages())
            raise Rejected("flow_unsupported", "message", f"expected one of {known}")
        version = self._version(flow, body)
        found = reading(flow, *version)
        if found is None:
            raise Rejected("version_unsupported", "version", "no guide for this version")
        if self._config.association and flow != "CONTRL":
            body = {"association": self._config.association, **body}
        # One number for the interchange and its message: answers name the one or the other.
        body = {"reference": str(numbers.interchange), **body}
        asks = flow not in FLOWS and self._config.confirmed_within is not None
        envelope = self._envelope(version, numbers, asks=asks)
        return write(self._guides.guide(flow, found.release), body, envelope)

    def _version(self, flow: str, body: Json) -> tuple[str, str]:
        if flow == "CONTRL":
            return _SERVICE_VERSIONS[self._config.syntax]
        version = body.get("version", self._config.version)
        return (version[:1], version[1:]) if isinstance(version, str) else ("", "")

    def _envelope(self, version: tuple[str, str], numbers: Numbers, *, asks: bool) -> Envelope:
        config = self._config
        return Envelope(
            sender=Side(config.our_id, config.our_qualifier or ""),
            receiver=Side(
                config.partner_id, config.partner_qualifier or "", config.partner_internal or ""
            ),
            version=version,
            interchange=numbers.interchange,
            at=numbers.at,
            delimiters=config.delimiters(),
            charset=config.charset,
            syntax=config.syntax,
            test=config.usage == "T",
            application=config.application_reference or "",
            acknowledge=asks,
            advice=config.una,
            line_breaks=config.line_breaks,
        )
