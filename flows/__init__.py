"""What Prefect runs: playlists from the Spotify Web API into the lake (S3) and the warehouse (Snowflake)."""

CODE_VERSION = "0.1.0"
