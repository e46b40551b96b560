"""What the documents of each system may hold, one line a system: for the linter of mappings."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from connectors.base import Json
from connectors.edifact.fields import edifact_fields
from connectors.json_fields import JsonFields, Options
from connectors.x12.fields import x12_fields

__all__ = ["FIELDS", "Fields", "Options"]


class Fields(Protocol):
    """Tells which paths exist in what a connector's codec reads."""

    def __call__(self, flow: str, agreed: Iterable[Options] = (), /) -> Json | None:
        """Return all that a document of a flow may hold.

        In the shape of a document: an object, a list of the one thing that it repeats, null for a
        value. A part that may hold itself (levels in levels) does: the result may be cyclic.

        Args:
            flow: an inbound flow.
            agreed: the options of connections, as their YAML has them: what a partner's own guide
                adds counts, too.

        Returns:
            None where nobody says what the flow holds.
        """
        ...


FIELDS: dict[str, Fields] = {
    "business_central": JsonFields("connectors.business_central"),
    "easypost": JsonFields("connectors.easypost"),
    "edifact": edifact_fields,
    "shopify": JsonFields("connectors.shopify"),
    "x12": x12_fields,
}
"""System -> what its documents hold."""
