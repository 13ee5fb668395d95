"""The SQL prompt of `make sql`."""
