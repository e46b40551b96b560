"""Telemetry: structured logs, OpenTelemetry traces, Prometheus metrics; never a payload value."""
