"""A claimed delivery as the client sees it: the same on every attempt."""

from __future__ import annotations

import hashlib

from connectors.base import Numbers, Outbound
from connectors.transports.names import safe_name
from hub.delivery.parts import Rendered, TargetSpec
from hub.ledger.delivery_rows import DeliveryRow

NOTHING = Rendered(body={}, encoded=b"")
"""What is asked about where the mapping no longer takes the document."""


def outbound(delivery: DeliveryRow, target: TargetSpec, rendered: Rendered) -> Outbound:
    """Return the delivery for the client."""
    return Outbound(
        id=delivery.id,
        action=delivery.action,
        reference=delivery.reference,
        body=dict(rendered.body),
        encoded=rendered.encoded,
        file_name=file_name(delivery, target.file_suffix, rendered.number),
    )


def file_name(delivery: DeliveryRow, suffix: str, number: int = 0) -> str:
    """Return a safe name that no other delivery has: what, which order, which delivery.

    Under another control number it is another one: what a partner refused lies there already, or
    is known by this name, and what is sent in its place must not be taken for it.
    """
    whole = f"{delivery.id}#{number}" if number else delivery.id
    mark = hashlib.sha256(whole.encode()).hexdigest()[:8]
    readable = safe_name(f"{delivery.flow}-{delivery.reference}"[:60])
    return safe_name(f"{readable}-{mark}{suffix}")


def unnumbered(delivery: DeliveryRow) -> Numbers:
    """Return the numbers of a target that counts none: zeros, and a moment that never moves."""
    return Numbers(interchange=0, group=0, at=delivery.created_at)
