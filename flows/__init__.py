"""Prefect flows and tasks, and the code that binds them to a run."""
