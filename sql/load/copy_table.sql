COPY INTO ${table} (${columns})
FROM @lake/tables/
FILES = (${files})
FILE_FORMAT = (FORMAT_NAME = 'playlist_csv')
ON_ERROR = ABORT_STATEMENT
