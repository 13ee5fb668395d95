"""The lake on S3: keys, requests, kept snapshots and CSV files."""
