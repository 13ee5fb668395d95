"""HTTP server: login, heartbeats, logout, queries, deduplication of repeated requests."""
