"""The runtime: intake, normalize, release, deliver, ledger, reconcile, and the command line."""
