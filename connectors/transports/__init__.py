"""Transports: how bytes reach us and leave us, whatever they mean."""
