"""The demo: a day of a distributor, played against the sandbox with the real hub and servers."""
