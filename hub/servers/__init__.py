"""The hub's own NATS, PostgreSQL and Redis, for a site that names no others."""
