"""How the platform runs: the embedded PostgreSQL, the supervisor, and what is checked before a start."""
