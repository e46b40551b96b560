"""Normalize: from receipts to documents, verdicts and deliveries, in one transaction a batch."""
