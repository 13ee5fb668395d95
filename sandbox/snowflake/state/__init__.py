"""State of the account: sessions, locks, grants, tables, stages, and pipes with their queues."""
