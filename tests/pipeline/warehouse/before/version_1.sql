-- The tables as version 1 created them; never changed, so that upgrades keep being tested from there.
-- What the loads themselves need: the schema's version, the one lock, the ledger.
CREATE TABLE IF NOT EXISTS schema_versions (
    version NUMBER(38, 0) NOT NULL,
    lake_url VARCHAR NOT NULL,
    code_version VARCHAR NOT NULL,
    applied_at TIMESTAMP_NTZ(3) NOT NULL
);

CREATE TABLE IF NOT EXISTS writer_lock (
    id NUMBER(38, 0) NOT NULL,
    run_id VARCHAR,
    locked_at TIMESTAMP_NTZ(3)
);

INSERT INTO writer_lock (id)
SELECT 1
WHERE NOT EXISTS (SELECT 1 FROM writer_lock);

CREATE TABLE IF NOT EXISTS loads (
    run_id VARCHAR NOT NULL,
    playlist_id VARCHAR NOT NULL,
    snapshot_date DATE NOT NULL,
    source_key VARCHAR NOT NULL,
    source_fetched_at TIMESTAMP_NTZ(3) NOT NULL,
    snapshot_id VARCHAR NOT NULL,
    item_count NUMBER(38, 0) NOT NULL,
    rejected NUMBER(38, 0) NOT NULL,
    rows_by_table VARIANT NOT NULL,
    load VARCHAR NOT NULL,
    receipt_key VARCHAR NOT NULL,
    code_version VARCHAR NOT NULL,
    loaded_at TIMESTAMP_NTZ(3) NOT NULL
);

-- All partitions, as loaded; made from flows/transform/schema.py by `make generate`.
CREATE TABLE IF NOT EXISTS playlists_history (
    playlist_id VARCHAR NOT NULL,
    snapshot_date DATE NOT NULL,
    run_id VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    description VARCHAR,
    owner_id VARCHAR NOT NULL,
    owner_name VARCHAR,
    is_public BOOLEAN,
    is_collaborative BOOLEAN NOT NULL,
    follower_count NUMBER(38, 0),
    snapshot_id VARCHAR NOT NULL,
    item_count NUMBER(38, 0) NOT NULL,
    url VARCHAR NOT NULL,
    image_url VARCHAR,
    fetched_at TIMESTAMP_NTZ(3) NOT NULL
);

CREATE TABLE IF NOT EXISTS playlist_songs_history (
    playlist_id VARCHAR NOT NULL,
    snapshot_date DATE NOT NULL,
    run_id VARCHAR NOT NULL,
    position NUMBER(38, 0) NOT NULL,
    song_id VARCHAR NOT NULL,
    added_at TIMESTAMP_NTZ(3),
    added_by VARCHAR
);

CREATE TABLE IF NOT EXISTS songs_history (
    playlist_id VARCHAR NOT NULL,
    snapshot_date DATE NOT NULL,
    run_id VARCHAR NOT NULL,
    song_id VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    album_id VARCHAR NOT NULL,
    artist_id VARCHAR NOT NULL,
    duration_ms NUMBER(38, 0) NOT NULL,
    is_explicit BOOLEAN NOT NULL,
    popularity NUMBER(38, 0),
    disc_number NUMBER(38, 0) NOT NULL,
    track_number NUMBER(38, 0) NOT NULL,
    isrc VARCHAR,
    url VARCHAR NOT NULL
);

CREATE TABLE IF NOT EXISTS albums_history (
    playlist_id VARCHAR NOT NULL,
    snapshot_date DATE NOT NULL,
    run_id VARCHAR NOT NULL,
    album_id VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    album_type VARCHAR NOT NULL,
    release_date DATE,
    release_date_precision VARCHAR,
    total_tracks NUMBER(38, 0) NOT NULL,
    label VARCHAR,
    upc VARCHAR,
    url VARCHAR NOT NULL,
    image_url VARCHAR
);

CREATE TABLE IF NOT EXISTS artists_history (
    playlist_id VARCHAR NOT NULL,
    snapshot_date DATE NOT NULL,
    run_id VARCHAR NOT NULL,
    artist_id VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    url VARCHAR NOT NULL,
    genres VARCHAR,
    popularity NUMBER(38, 0),
    follower_count NUMBER(38, 0)
);

CREATE TABLE IF NOT EXISTS song_artists_history (
    playlist_id VARCHAR NOT NULL,
    snapshot_date DATE NOT NULL,
    run_id VARCHAR NOT NULL,
    song_id VARCHAR NOT NULL,
    artist_id VARCHAR NOT NULL,
    artist_position NUMBER(38, 0) NOT NULL
);

CREATE TABLE IF NOT EXISTS album_artists_history (
    playlist_id VARCHAR NOT NULL,
    snapshot_date DATE NOT NULL,
    run_id VARCHAR NOT NULL,
    album_id VARCHAR NOT NULL,
    artist_id VARCHAR NOT NULL,
    artist_position NUMBER(38, 0) NOT NULL
);

CREATE TABLE IF NOT EXISTS rejects_history (
    playlist_id VARCHAR NOT NULL,
    snapshot_date DATE NOT NULL,
    run_id VARCHAR NOT NULL,
    position NUMBER(38, 0) NOT NULL,
    reason VARCHAR NOT NULL,
    entry VARCHAR NOT NULL
);

-- CSV as the lake holds it: nothing is null, "" is the empty string, \N and \ are text.
CREATE FILE FORMAT IF NOT EXISTS playlist_csv
TYPE = CSV
COMPRESSION = GZIP
SKIP_HEADER = 1
FIELD_OPTIONALLY_ENCLOSED_BY = '"'
ESCAPE_UNENCLOSED_FIELD = NONE
NULL_IF = ()
EMPTY_FIELD_AS_NULL = TRUE
ENCODING = 'UTF8';

-- Today: the newest snapshot of each playlist; made from flows/transform/schema.py by `make generate`.
CREATE OR REPLACE VIEW newest_snapshots AS
SELECT playlist_id, snapshot_date, fetched_at
FROM playlists_history
QUALIFY RANK() OVER (PARTITION BY playlist_id ORDER BY snapshot_date DESC) = 1;

CREATE OR REPLACE VIEW playlists AS
SELECT
    h.playlist_id,
    h.snapshot_date,
    h.run_id,
    h.name,
    h.description,
    h.owner_id,
    h.owner_name,
    h.is_public,
    h.is_collaborative,
    h.follower_count,
    h.snapshot_id,
    h.item_count,
    h.url,
    h.image_url,
    h.fetched_at
FROM playlists_history AS h
INNER JOIN newest_snapshots AS n
    ON h.playlist_id = n.playlist_id AND h.snapshot_date = n.snapshot_date;

CREATE OR REPLACE VIEW playlist_songs AS
SELECT
    h.playlist_id,
    h.snapshot_date,
    h.run_id,
    h.position,
    h.song_id,
    h.added_at,
    h.added_by
FROM playlist_songs_history AS h
INNER JOIN newest_snapshots AS n
    ON h.playlist_id = n.playlist_id AND h.snapshot_date = n.snapshot_date;

CREATE OR REPLACE VIEW songs AS
SELECT
    h.playlist_id,
    h.snapshot_date,
    h.run_id,
    h.song_id,
    h.name,
    h.album_id,
    h.artist_id,
    h.duration_ms,
    h.is_explicit,
    h.popularity,
    h.disc_number,
    h.track_number,
    h.isrc,
    h.url
FROM songs_history AS h
INNER JOIN newest_snapshots AS n
    ON h.playlist_id = n.playlist_id AND h.snapshot_date = n.snapshot_date
QUALIFY RANK() OVER (
    PARTITION BY h.song_id
    ORDER BY n.snapshot_date DESC, n.fetched_at DESC, h.playlist_id ASC
) = 1;

CREATE OR REPLACE VIEW albums AS
SELECT
    h.playlist_id,
    h.snapshot_date,
    h.run_id,
    h.album_id,
    h.name,
    h.album_type,
    h.release_date,
    h.release_date_precision,
    h.total_tracks,
    h.label,
    h.upc,
    h.url,
    h.image_url
FROM albums_history AS h
INNER JOIN newest_snapshots AS n
    ON h.playlist_id = n.playlist_id AND h.snapshot_date = n.snapshot_date
QUALIFY RANK() OVER (
    PARTITION BY h.album_id
    ORDER BY n.snapshot_date DESC, n.fetched_at DESC, h.playlist_id ASC
) = 1;

CREATE OR REPLACE VIEW artists AS
SELECT
    h.playlist_id,
    h.snapshot_date,
    h.run_id,
    h.artist_id,
    h.name,
    h.url,
    h.genres,
    h.popularity,
    h.follower_count
FROM artists_history AS h
INNER JOIN newest_snapshots AS n
    ON h.playlist_id = n.playlist_id AND h.snapshot_date = n.snapshot_date
QUALIFY RANK() OVER (
    PARTITION BY h.artist_id
    ORDER BY n.snapshot_date DESC, n.fetched_at DESC, h.playlist_id ASC
) = 1;

CREATE OR REPLACE VIEW song_artists AS
SELECT
    h.playlist_id,
    h.snapshot_date,
    h.run_id,
    h.song_id,
    h.artist_id,
    h.artist_position
FROM song_artists_history AS h
INNER JOIN newest_snapshots AS n
    ON h.playlist_id = n.playlist_id AND h.snapshot_date = n.snapshot_date
QUALIFY RANK() OVER (
    PARTITION BY h.song_id
    ORDER BY n.snapshot_date DESC, n.fetched_at DESC, h.playlist_id ASC
) = 1;

CREATE OR REPLACE VIEW album_artists AS
SELECT
    h.playlist_id,
    h.snapshot_date,
    h.run_id,
    h.album_id,
    h.artist_id,
    h.artist_position
FROM album_artists_history AS h
INNER JOIN newest_snapshots AS n
    ON h.playlist_id = n.playlist_id AND h.snapshot_date = n.snapshot_date
QUALIFY RANK() OVER (
    PARTITION BY h.album_id
    ORDER BY n.snapshot_date DESC, n.fetched_at DESC, h.playlist_id ASC
) = 1;

CREATE OR REPLACE VIEW rejects AS
SELECT
    h.playlist_id,
    h.snapshot_date,
    h.run_id,
    h.position,
    h.reason,
    h.entry
FROM rejects_history AS h
INNER JOIN newest_snapshots AS n
    ON h.playlist_id = n.playlist_id AND h.snapshot_date = n.snapshot_date;
