"""Preflight of what surrounds a run: `python -m deploy preflight`."""
