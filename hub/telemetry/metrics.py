"""Prometheus metrics; every label is a bounded word from the configuration or an error code."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest


class Metrics:
    """The hub's metrics, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.receipts = Counter(
            "crossdock_receipts_total",
            "Receipts stored durably at intake.",
            ["connection"],
            registry=self.registry,
        )
        self.refused = Counter(
            "crossdock_refused_total",
            "Calls and files refused at the door.",
            ["connection", "code"],
            registry=self.registry,
        )
        self.documents = Counter(
            "crossdock_documents_total",
            "Documents decided, by verdict.",
            ["entity", "verdict", "state"],
            registry=self.registry,
        )
        self.deliveries = Counter(
            "crossdock_deliveries_total",
            "Attempts of deliveries, by outcome.",
            ["target", "outcome"],
            registry=self.registry,
        )
        self.normalize_seconds = Histogram(
            "crossdock_normalize_batch_seconds",
            "Time to decide one batch of receipts.",
            registry=self.registry,
        )
        self.outbox = Gauge(
            "crossdock_outbox_events",
            "Events committed and not yet acknowledged by NATS.",
            registry=self.registry,
        )
        self.set_aside = Gauge(
            "crossdock_outbox_set_aside",
            "Events that NATS will never take as they are.",
            registry=self.registry,
        )
        self.open_items = Gauge(
            "crossdock_open",
            "Open holds, dead letters and findings.",
            ["kind"],
            registry=self.registry,
        )
        self.missing_numbers = Gauge(
            "crossdock_interchange_numbers_missing",
            "Interchange numbers that a sender skipped, and that are late by now.",
            ["connection"],
            registry=self.registry,
        )
        self.unmatched_answers = Gauge(
            "crossdock_acknowledgements_unmatched",
            "What partners said within a day that fits nothing we sent.",
            ["connection"],
            registry=self.registry,
        )
        self.job_failures = Gauge(
            "crossdock_job_failures",
            "How often a scheduled job has failed since it last went well.",
            ["job"],
            registry=self.registry,
        )

        self.stream_fill = Gauge(
            "crossdock_stream_fill",
            "How full each stream is, of 1.",
            ["stream"],
            registry=self.registry,
        )
        self.listeners_missing = Gauge(
            "crossdock_listeners_missing_events",
            "Listeners before whom events went unread, as the stream was full or they too old.",
            registry=self.registry,
        )
        self.repaired = Counter(
            "crossdock_nats_repaired_total",
            "Streams that were gone under a running hub and were made again.",
            ["stream"],
            registry=self.registry,
        )

    def text(self) -> bytes:
        """Return the exposition format that `/metrics` serves."""
        return generate_latest(self.registry)
