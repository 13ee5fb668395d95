"""COPY INTO: stages, staged files, the CSV format, errors and the load history."""
