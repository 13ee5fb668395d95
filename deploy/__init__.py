"""Deploying the flows: the guard, the work pool's template and the automations; not part of the image."""
