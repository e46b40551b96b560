"""Connectors: one folder per system, what its bytes mean and how to call it."""
