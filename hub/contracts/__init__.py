"""Contracts with partners: what they send and what they expect, checked offline."""
