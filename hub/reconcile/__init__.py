"""Reconciliation: does what one system says match what the other knows, down to the money."""
