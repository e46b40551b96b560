"""AS2 (RFC 4130): what a message and its receipt are made of, as pure functions of bytes."""
