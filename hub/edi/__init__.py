"""EDI files for people: looked into, answered, shown as paper and compared, without the ledger."""
