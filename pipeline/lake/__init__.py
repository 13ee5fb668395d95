"""The lake on S3: keys, kept snapshots, CSV files."""
