"""Ingests Spotify playlists into the lake (S3) and the warehouse (Snowflake). A library without Prefect."""

VERSION = "0.7.0"
"""The release, as in pyproject.toml, which is not in the image."""
