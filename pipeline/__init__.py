"""Loads Spotify playlists into the lake (S3) and the warehouse (Snowflake): a plain library, no Prefect."""

VERSION = "0.1.0"
