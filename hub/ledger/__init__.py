"""The ledger: SQL is the truth about every document, delivery, hold, dead letter and finding."""
