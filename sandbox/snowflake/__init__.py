"""Snowflake stand-in: fakesnow over HTTP, extended with what the project relies on.

server/      HTTP: login, queries, heartbeats, logout, and requests that the connector repeats
statements/  SQL: which privileges a statement needs (needs.py), who has them (access.py); which are refused,
             executed here or passed on to fakesnow; the cursor; set-up, grants
copy/        COPY INTO a table: stages and staged files, CSV format, errors, load history
pipes/       Snowpipe: CREATE PIPE and its COPY, status and history, the loading thread, controls for tests
state/       what the account holds: sessions, grants, locks, tables, and each pipe's queue and memory

Imports run downwards, in this order. DEVIATIONS.md lists where the stand-in differs from Snowflake.
"""
