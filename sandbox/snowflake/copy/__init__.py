"""COPY INTO: stages, staged files, CSV format, errors and load history."""
