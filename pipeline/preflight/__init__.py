"""Preflight: checks of what runs use, before a run needs it."""
