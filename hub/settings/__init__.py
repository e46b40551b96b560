"""Configuration: what may be set, where it is read from, and every mistake with its file and line."""
