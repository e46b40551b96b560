"""Mappings between a system's words and the vocabulary: engine, host functions, lint, worked cases."""
