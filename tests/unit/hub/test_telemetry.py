"""Logs by allow-list, and traces that carry one id from intake to delivery."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime

import structlog
from opentelemetry import trace

from connectors.base import Receipt
from hub.ledger.delivery_rows import DeliveryRow
from hub.telemetry import logs
from hub.telemetry.metrics import Metrics
from hub.telemetry.observer import DeliveryObserver
from hub.telemetry.tracing import Tracing, trace_id_of

NOW = datetime(2026, 5, 5, tzinfo=UTC)


def delivery(traceparent: str) -> DeliveryRow:
    return DeliveryRow(
        "d", "doc-1", "bc", "create_order", "salesOrder", "", "k", 1, None, "pending", 0, "XD",
        traceparent, NOW,
    )  # fmt: skip


def logged(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def test_only_allowed_keys_reach_a_log_line() -> None:
    stream = io.StringIO()
    logs.configure(json=True, stream=stream)
    structlog.get_logger().info("held", document_id="doc-1", customer="CANARY", body=b"CANARY")
    (line,) = logged(stream.getvalue())
    assert line["document_id"] == "doc-1"
    assert "CANARY" not in stream.getvalue()


def test_an_exception_is_named_by_type_and_place_and_not_by_its_text() -> None:
    stream = io.StringIO()
    logs.configure(json=True, stream=stream)
    try:
        int("CANARY")
    except ValueError:
        structlog.get_logger().exception("failed")
    (line,) = logged(stream.getvalue())
    assert str(line["exception"]).startswith("ValueError at test_telemetry.py")
    assert "CANARY" not in stream.getvalue()


def test_the_trace_of_an_acceptance_goes_on_in_its_delivery() -> None:
    metrics = Metrics()
    tracing = Tracing(metrics)
    with tracing.intake("acme-edi") as carrier:
        pass
    receipt = Receipt("r", "acme-edi", "d", NOW, b"", facts=carrier)
    traceparent = tracing.trace_id(receipt)
    assert traceparent is not None
    observer = DeliveryObserver(metrics, tracing)
    with observer.attempt(delivery(traceparent)):
        inside = trace.get_current_span().get_span_context().trace_id
    assert f"{inside:032x}" == trace_id_of(traceparent)


def test_the_log_of_a_try_carries_document_and_trace() -> None:
    stream = io.StringIO()
    logs.configure(json=True, stream=stream)
    metrics = Metrics()
    observer = DeliveryObserver(metrics, Tracing(metrics))
    with observer.attempt(delivery(f"00-{'a' * 32}-{'b' * 16}-01")):
        observer.event("attempt", target="bc", delivery="d", outcome="delivered", code="")
    (line,) = logged(stream.getvalue())
    assert (line["document_id"], line["trace_id"]) == ("doc-1", "a" * 32)
    assert b'outcome="delivered"' in metrics.text()


def test_documents_that_do_not_go_on_are_logged_without_what_they_say() -> None:
    stream = io.StringIO()
    logs.configure(json=True, stream=stream)
    row = {
        "direction": "in", "id": "doc-1", "trace_id": None, "connection": "acme-edi",
        "entity": "order", "verdict": "conflict", "state": "held", "code": "conflict",
        "place": None, "canonical": "CANARY",
    }  # fmt: skip
    Tracing(Metrics()).counted([row, {**row, "state": "accepted"}])
    (line,) = logged(stream.getvalue())
    assert (line["event"], line["document_id"]) == ("held", "doc-1")
    assert "CANARY" not in stream.getvalue()
