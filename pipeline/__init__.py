"""Ingests Spotify playlists into the lake (S3) and the warehouse (Snowflake). A library without Prefect."""

VERSION = "0.1.0"
