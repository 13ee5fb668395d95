"""The HTTP server: login, sessions' heartbeats and logout, queries, repeated requests."""
