"""Stubs of vendors' HTTP APIs, for the tests of connector authors; needs the extra `stubs` (respx)."""
