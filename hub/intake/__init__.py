"""Intake: transports that store a receipt durably before the sender gets its yes."""
