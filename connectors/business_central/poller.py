"""Polls customers, items and posted invoices: what changed, in the order in which it changed."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx

from canonical.errors import Retryable
from connectors.base import Json, Page
from connectors.business_central.api import Api, Clocks, Collection
from connectors.business_central.config import BusinessCentralConfig
from connectors.business_central.odata import rows

FLOWS = ("customers", "items", "salesInvoices")
_DIGEST = 32
_EXPAND = {"salesInvoices": "salesInvoiceLines"}


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a poll goes on; to everybody else it is a text without meaning."""

    stamp: str = ""
    """The newest ``lastModifiedDateTime`` taken in, as the API wrote it."""
    pages: tuple[str, ...] = ()
    """Digests of the pages as they were last seen."""

    @classmethod
    def read(cls, text: str) -> Cursor:
        """Read what `written` wrote."""
        stamp, _, pages = text.partition(" ")
        return cls(stamp, tuple(pages.split(",")) if pages else ())

    def written(self) -> str:
        """``<stamp> <digest>,<digest>``."""
        return f"{self.stamp} {','.join(self.pages)}"


class BusinessCentralPoller:
    """A `connectors.base.Poller`.

    It keeps nothing between polls: the cursor says which stamp was the newest and which pages the
    poll before had, so that a page whose bytes are the same is not yielded again, by any replica.

    Args:
        config: the connection's options, secrets resolved.
        transport: carries the calls: what the site may reach, or a network of a test's own.
        clocks: replaces the clocks in tests.

    """

    flows: Sequence[str] = FLOWS

    def __init__(
        self,
        config: BusinessCentralConfig,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        clocks: Clocks | None = None,
    ) -> None:
        self._config = config
        self._clocks = clocks or Clocks()
        self._api = Api(config, transport=transport, clocks=self._clocks)

    async def close(self) -> None:
        """Release connections; may be called twice."""
        await self._api.close()

    async def poll(self, flow: str, cursor: str) -> AsyncIterator[Page]:
        """See `connectors.base.Poller`.

        Raises:
            Retryable: every fault of the API; ``flow_unknown``; ``cursor_unknown``.

        """
        if flow not in FLOWS:
            raise Retryable("flow_unknown", flow, f"expected one of {', '.join(FLOWS)}")
        polled_at = self._clocks.utc()
        before, seen = Cursor.read(cursor), list[str]()
        newest = before.stamp
        async for page, body in self._pages(flow, before):
            newest = _advanced(newest, _rows(page), is_last="@odata.nextLink" not in page)
            digest = hashlib.sha256(body).hexdigest()[:_DIGEST]
            seen.append(digest)
            if digest not in before.pages:
                # Stock can go back to what it was: equal bytes of another poll are another fact.
                moment = _written(polled_at) if flow in self._config.full_scan else newest
                now = Cursor(newest, (*seen, *before.pages[len(seen) :]))
                yield Page(body, f"{flow}:{moment}:{digest}", now.written())

    def _pages(self, flow: str, cursor: Cursor) -> AsyncIterator[tuple[Json, bytes]]:
        asked = Collection(
            f"{self._api.base}/{flow}",
            self._params(flow, cursor),
            {"Prefer": f"odata.maxpagesize={self._config.page_size}"},
        )
        return self._api.pages(asked, self._config.max_pages)

    def _params(self, flow: str, cursor: Cursor) -> dict[str, str]:
        params = {"$orderby": "lastModifiedDateTime"}
        if flow in _EXPAND:
            params["$expand"] = _EXPAND[flow]
        since = self._since(flow, cursor)
        if since is not None and flow not in self._config.full_scan:
            params["$filter"] = f"lastModifiedDateTime ge {_written(since)}"
        return params

    def _since(self, flow: str, cursor: Cursor) -> datetime | None:
        if not cursor.stamp:
            return self._config.invoices_since if flow == "salesInvoices" else None
        at = _stamp(cursor.stamp)
        if at is None:
            raise Retryable("cursor_unknown", flow, "expected an RFC 3339 stamp as cursor")
        return at - timedelta(seconds=self._config.overlap_seconds)


def _rows(page: Json) -> list[Json]:
    found = rows(page)
    if found is None:
        raise Retryable("not_the_api", "value", "expected a collection")
    return found


def _advanced(cursor: str, found: list[Json], *, is_last: bool) -> str:
    """How far a page takes us: its newest stamp, if nothing older can come after it.

    A page out of order moves the cursor only at the end, when nothing can be missed.
    """
    stamps = [row.get("lastModifiedDateTime") for row in found]
    moments = [(at, text) for text in stamps if isinstance(text, str) and (at := _stamp(text))]
    if not moments:
        return cursor
    start = _stamp(cursor)
    if not is_last and [at for at, _ in moments] != sorted(at for at, _ in moments):
        return cursor
    at, text = max(moments)
    return text if start is None or at > start else cursor


def _stamp(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo else None


def _written(at: datetime) -> str:
    """An OData date-time literal, UTC (Edm.DateTimeOffset)."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
