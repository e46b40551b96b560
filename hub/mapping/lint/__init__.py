"""Finds what is wrong in a mapping without running it."""
