"""Stand-ins for Spotify, S3 and Snowflake: real servers on loopback, shared by demo and tests."""
