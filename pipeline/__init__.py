"""The work itself, a plain library: Spotify playlists into the lake (S3) and the warehouse (Snowflake)."""

CODE_VERSION = "0.1.0"
