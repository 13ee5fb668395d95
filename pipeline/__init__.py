"""The work itself, a plain library: Spotify playlists into the lake (S3) and the warehouse (Snowflake)."""

VERSION = "0.1.0"
