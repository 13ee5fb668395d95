-- Format of the lake's CSV files: an empty field is null, "" is the empty string, \N and \ are ordinary text.
CREATE FILE FORMAT IF NOT EXISTS playlist_csv
TYPE = CSV
COMPRESSION = GZIP
SKIP_HEADER = 1
FIELD_OPTIONALLY_ENCLOSED_BY = '"'
ESCAPE_UNENCLOSED_FIELD = NONE
NULL_IF = ()
EMPTY_FIELD_AS_NULL = TRUE
ENCODING = 'UTF8';
