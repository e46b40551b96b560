"""OpenTelemetry traces: one trace follows a receipt through intake, normalize and deliver."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import structlog
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from connectors.base import Receipt
from hub.telemetry.metrics import Metrics

_PROPAGATOR = TraceContextTextMapPropagator()
_STOPPED = frozenset({"held", "dead", "rejected"})


def trace_id_of(traceparent: str | None) -> str | None:
    """Return the trace id within a `traceparent` (W3C Trace Context, its second field)."""
    parts = (traceparent or "").split("-")
    return parts[1] if len(parts) == 4 else None  # noqa: PLR2004  # version, trace, parent, flags


class Tracing:
    """Starts spans and carries their context in `traceparent` (W3C Trace Context)."""

    def __init__(self, metrics: Metrics, endpoint: str | None = None) -> None:
        self._provider = TracerProvider(resource=Resource.create({"service.name": "crossdock"}))
        self._metrics = metrics
        self._log = structlog.get_logger("hub.normalize")
        self._exports = endpoint is not None
        if endpoint is not None:
            exporter = OTLPSpanExporter(endpoint=endpoint)
            self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("crossdock")

    @contextmanager
    def intake(self, connection: str) -> Iterator[dict[str, str]]:
        """Span one acceptance; yields the carrier with its `traceparent`."""
        with self._tracer.start_as_current_span(
            "intake", attributes={"crossdock.connection": connection}
        ):
            carrier: dict[str, str] = {}
            _PROPAGATOR.inject(carrier)
            yield carrier

    @contextmanager
    def batch(self, name: str, receipts: Sequence[Receipt]) -> Iterator[None]:
        """Span a batch, linked to the trace of each receipt in it (messaging conventions)."""
        started = time.perf_counter()
        links = []
        if self._exports:
            for receipt in receipts:
                context = _PROPAGATOR.extract({"traceparent": receipt.facts.get("traceparent", "")})
                links.append(trace.Link(trace.get_current_span(context).get_span_context()))
        with self._tracer.start_as_current_span(name, links=links):
            yield
        self._metrics.normalize_seconds.observe(time.perf_counter() - started)

    @contextmanager
    def delivery(self, target: str, action: str, trace_id: str | None) -> Iterator[None]:
        """Span one attempt of a delivery, in the trace of its receipt."""
        context = _PROPAGATOR.extract({"traceparent": trace_id or ""})
        attributes = {"crossdock.target": target, "crossdock.action": action}
        with self._tracer.start_as_current_span("deliver", context=context, attributes=attributes):
            yield

    def trace_id(self, receipt: Receipt) -> str | None:
        """Return the receipt's `traceparent`: its second part is the trace id that logs show."""
        return receipt.facts.get("traceparent")

    def counted(self, documents: Iterable[Mapping[str, Any]]) -> None:
        """Count what was decided, from the committed document rows; log what did not go on."""
        decided: Counter[tuple[str, str, str]] = Counter()
        for row in documents:
            if row["direction"] == "in":
                decided[row["entity"], row["verdict"], row["state"]] += 1
                if row["state"] in _STOPPED:
                    self._log.info(
                        row["state"],
                        document_id=row["id"],
                        trace_id=trace_id_of(row["trace_id"]),
                        connection=row["connection"],
                        entity=row["entity"],
                        code=row["code"] or row["verdict"],
                        where=row["place"],
                    )
        for (entity, verdict, state), count in decided.items():
            self._metrics.documents.labels(entity, verdict, state).inc(count)

    def close(self) -> None:
        """Export what is left."""
        self._provider.shutdown()
