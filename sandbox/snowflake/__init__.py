"""Stand-in for Snowflake: fakesnow over HTTP, extended with the features that the project relies on.

server/      HTTP: login, queries, heartbeats, logout, deduplication of repeated requests
statements/  SQL: required privileges (needs.py) and their check (access.py); dispatch of a statement to an
             error, to code here or to fakesnow (dispatch.py); the cursor; set-up and grants
copy/        COPY INTO a table: stages and staged files, CSV format, errors, load history
pipes/       Snowpipe: CREATE PIPE and its COPY, status and history, the loading thread, controls for tests
state/       state of the account: sessions, grants, locks, tables, queues and load metadata of pipes

A package imports only packages below it in this list. DEVIATIONS.md lists the differences from Snowflake.
"""
