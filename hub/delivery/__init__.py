"""Handing documents to targets: claim in the ledger, call once, ask when in doubt, settle."""
