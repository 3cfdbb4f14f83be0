"""The audit trail: an append-only RFC 6962 Merkle log of every run, in SQLite or PostgreSQL. Start at `log.Trail`."""
