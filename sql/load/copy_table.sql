COPY INTO ${table} (${columns})
FROM @lake/
FILES = (${files})
FILE_FORMAT = (FORMAT_NAME = 'playlist_csv')
ON_ERROR = ABORT_STATEMENT
-- The ledger knows what was loaded; the table's load history must not say otherwise after a rollback.
FORCE = TRUE
