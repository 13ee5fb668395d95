-- Pipes load only .snowpipe.csv.gz files; generated from pipeline/columns.py by `make generate`.
CREATE OR REPLACE PIPE playlists_pipe AUTO_INGEST = TRUE AS
COPY INTO playlists_landing (
    playlist_id,
    snapshot_date,
    run_id,
    name,
    description,
    owner_id,
    owner_name,
    is_public,
    is_collaborative,
    follower_count,
    snapshot_id,
    item_count,
    url,
    image_url,
    fetched_at,
    file_name,
    file_row
)
FROM (SELECT
    $1,
    $2,
    $3,
    $4,
    $5,
    $6,
    $7,
    $8,
    $9,
    $10,
    $11,
    $12,
    $13,
    $14,
    $15,
    METADATA$FILENAME, -- noqa: CP02
    METADATA$FILE_ROW_NUMBER -- noqa: CP02
FROM @lake/playlists/)
FILE_FORMAT = (FORMAT_NAME = 'playlist_csv')
PATTERN = '.*[.]snowpipe[.]csv[.]gz';

CREATE OR REPLACE PIPE playlist_songs_pipe AUTO_INGEST = TRUE AS
COPY INTO playlist_songs_landing (
    playlist_id,
    snapshot_date,
    run_id,
    position,
    song_id,
    added_at,
    added_by,
    file_name,
    file_row
)
FROM (SELECT
    $1,
    $2,
    $3,
    $4,
    $5,
    $6,
    $7,
    METADATA$FILENAME, -- noqa: CP02
    METADATA$FILE_ROW_NUMBER -- noqa: CP02
FROM @lake/playlist_songs/)
FILE_FORMAT = (FORMAT_NAME = 'playlist_csv')
PATTERN = '.*[.]snowpipe[.]csv[.]gz';

CREATE OR REPLACE PIPE songs_pipe AUTO_INGEST = TRUE AS
COPY INTO songs_landing (
    playlist_id,
    snapshot_date,
    run_id,
    song_id,
    name,
    album_id,
    artist_id,
    duration_ms,
    is_explicit,
    popularity,
    disc_number,
    track_number,
    isrc,
    url,
    file_name,
    file_row
)
FROM (SELECT
    $1,
    $2,
    $3,
    $4,
    $5,
    $6,
    $7,
    $8,
    $9,
    $10,
    $11,
    $12,
    $13,
    $14,
    METADATA$FILENAME, -- noqa: CP02
    METADATA$FILE_ROW_NUMBER -- noqa: CP02
FROM @lake/songs/)
FILE_FORMAT = (FORMAT_NAME = 'playlist_csv')
PATTERN = '.*[.]snowpipe[.]csv[.]gz';

CREATE OR REPLACE PIPE albums_pipe AUTO_INGEST = TRUE AS
COPY INTO albums_landing (
    playlist_id,
    snapshot_date,
    run_id,
    album_id,
    name,
    album_type,
    release_date,
    release_date_precision,
    total_tracks,
    label,
    upc,
    url,
    image_url,
    file_name,
    file_row
)
FROM (SELECT
    $1,
    $2,
    $3,
    $4,
    $5,
    $6,
    $7,
    $8,
    $9,
    $10,
    $11,
    $12,
    $13,
    METADATA$FILENAME, -- noqa: CP02
    METADATA$FILE_ROW_NUMBER -- noqa: CP02
FROM @lake/albums/)
FILE_FORMAT = (FORMAT_NAME = 'playlist_csv')
PATTERN = '.*[.]snowpipe[.]csv[.]gz';

CREATE OR REPLACE PIPE artists_pipe AUTO_INGEST = TRUE AS
COPY INTO artists_landing (
    playlist_id,
    snapshot_date,
    run_id,
    artist_id,
    name,
    url,
    genres,
    popularity,
    follower_count,
    file_name,
    file_row
)
FROM (SELECT
    $1,
    $2,
    $3,
    $4,
    $5,
    $6,
    $7,
    $8,
    $9,
    METADATA$FILENAME, -- noqa: CP02
    METADATA$FILE_ROW_NUMBER -- noqa: CP02
FROM @lake/artists/)
FILE_FORMAT = (FORMAT_NAME = 'playlist_csv')
PATTERN = '.*[.]snowpipe[.]csv[.]gz';

CREATE OR REPLACE PIPE song_artists_pipe AUTO_INGEST = TRUE AS
COPY INTO song_artists_landing (
    playlist_id,
    snapshot_date,
    run_id,
    song_id,
    artist_id,
    artist_position,
    file_name,
    file_row
)
FROM (SELECT
    $1,
    $2,
    $3,
    $4,
    $5,
    $6,
    METADATA$FILENAME, -- noqa: CP02
    METADATA$FILE_ROW_NUMBER -- noqa: CP02
FROM @lake/song_artists/)
FILE_FORMAT = (FORMAT_NAME = 'playlist_csv')
PATTERN = '.*[.]snowpipe[.]csv[.]gz';

CREATE OR REPLACE PIPE album_artists_pipe AUTO_INGEST = TRUE AS
COPY INTO album_artists_landing (
    playlist_id,
    snapshot_date,
    run_id,
    album_id,
    artist_id,
    artist_position,
    file_name,
    file_row
)
FROM (SELECT
    $1,
    $2,
    $3,
    $4,
    $5,
    $6,
    METADATA$FILENAME, -- noqa: CP02
    METADATA$FILE_ROW_NUMBER -- noqa: CP02
FROM @lake/album_artists/)
FILE_FORMAT = (FORMAT_NAME = 'playlist_csv')
PATTERN = '.*[.]snowpipe[.]csv[.]gz';

CREATE OR REPLACE PIPE rejects_pipe AUTO_INGEST = TRUE AS
COPY INTO rejects_landing (
    playlist_id,
    snapshot_date,
    run_id,
    position,
    reason,
    entry,
    file_name,
    file_row
)
FROM (SELECT
    $1,
    $2,
    $3,
    $4,
    $5,
    $6,
    METADATA$FILENAME, -- noqa: CP02
    METADATA$FILE_ROW_NUMBER -- noqa: CP02
FROM @lake/rejects/)
FILE_FORMAT = (FORMAT_NAME = 'playlist_csv')
PATTERN = '.*[.]snowpipe[.]csv[.]gz';
