"""What deliveries tell: logs, metrics and spans."""

from __future__ import annotations

from contextlib import AbstractContextManager

import structlog

from hub.ledger.delivery_rows import DeliveryRow
from hub.telemetry.metrics import Metrics
from hub.telemetry.tracing import Tracing

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

    def attempt(self, delivery: DeliveryRow) -> AbstractContextManager[object]:
        """Span one try in the trace of the receipt that it came from."""
        return self._tracing.delivery(delivery.target, delivery.action, delivery.trace_id)
