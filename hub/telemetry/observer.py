"""What deliveries tell: logs, metrics and spans."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from structlog.contextvars import bound_contextvars

from hub.ledger.delivery_rows import DeliveryRow
from hub.telemetry.metrics import Metrics
from hub.telemetry.tracing import Tracing, trace_id_of

_QUIET = frozenset({"attempt"})


class DeliveryObserver:
    """Turns the deliver roles' events into logs and metrics, and each try into a span."""

    def __init__(self, metrics: Metrics, tracing: Tracing) -> None:
        self._metrics = metrics
        self._tracing = tracing
        self._log = structlog.get_logger("hub.delivery")

    def event(self, name: str, **facts: str | float) -> None:
        """Log one event; count it where it is the end of a try."""
        if name == "attempt":
            self._metrics.deliveries.labels(facts["target"], facts["outcome"]).inc()
        known = {("delivery_id" if key == "delivery" else key): v for key, v in facts.items()}
        if name in _QUIET:
            self._log.info(name, **known)
        else:
            self._log.warning(name, **known)

    @contextmanager
    def attempt(self, delivery: DeliveryRow) -> Iterator[None]:
        """Span one try in the trace of its receipt; its log lines carry document and trace."""
        with (
            bound_contextvars(
                document_id=delivery.document_id, trace_id=trace_id_of(delivery.trace_id)
            ),
            self._tracing.delivery(delivery.target, delivery.action, delivery.trace_id),
        ):
            yield
