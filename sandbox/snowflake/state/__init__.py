"""What the account holds: sessions and their locks, tables, stages, pipes with their queues."""
