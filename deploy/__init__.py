"""Provisioning the accounts and deploying the flows. Runs on your machine or in CI, not in the image."""
