"""Filling streams again from the ledger, after NATS lost its data."""
