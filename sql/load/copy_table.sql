COPY INTO ${table} (${columns})
FROM @lake/
FILES = (${files})
FILE_FORMAT = (FORMAT_NAME = 'playlist_csv')
ON_ERROR = ABORT_STATEMENT
-- Load the files even if the table's load metadata lists them, for example after a rollback: the ledger decides.
FORCE = TRUE
