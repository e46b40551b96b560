"""EDIFACT alone (ISO 9735): bytes to messages, messages to trees, and the way back; pure."""
