"""Insights for people: changes, charts and the report."""
