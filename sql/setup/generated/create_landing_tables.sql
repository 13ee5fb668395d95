-- Tables into which pipes load files; generated from pipeline/columns.py by `make generate`.
CREATE TRANSIENT TABLE IF NOT EXISTS playlists_landing (
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
    fetched_at TIMESTAMP_NTZ(3) NOT NULL,
    file_name VARCHAR NOT NULL,
    file_row NUMBER(38, 0) NOT NULL
);

CREATE TRANSIENT TABLE IF NOT EXISTS playlist_songs_landing (
    playlist_id VARCHAR NOT NULL,
    snapshot_date DATE NOT NULL,
    run_id VARCHAR NOT NULL,
    position NUMBER(38, 0) NOT NULL,
    song_id VARCHAR NOT NULL,
    added_at TIMESTAMP_NTZ(3),
    added_by VARCHAR,
    file_name VARCHAR NOT NULL,
    file_row NUMBER(38, 0) NOT NULL
);

CREATE TRANSIENT TABLE IF NOT EXISTS songs_landing (
    playlist_id VARCHAR NOT NULL,
    snapshot_date DATE NOT NULL,
    run_id VARCHAR NOT NULL,
    song_id VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    album_id VARCHAR NOT NULL,
    artist_id VARCHAR NOT NULL,
    duration_ms NUMBER(38, 0),
    is_explicit BOOLEAN,
    popularity NUMBER(38, 0),
    disc_number NUMBER(38, 0),
    track_number NUMBER(38, 0),
    isrc VARCHAR,
    url VARCHAR NOT NULL,
    file_name VARCHAR NOT NULL,
    file_row NUMBER(38, 0) NOT NULL
);

CREATE TRANSIENT TABLE IF NOT EXISTS albums_landing (
    playlist_id VARCHAR NOT NULL,
    snapshot_date DATE NOT NULL,
    run_id VARCHAR NOT NULL,
    album_id VARCHAR NOT NULL,
    name VARCHAR,
    album_type VARCHAR,
    release_date DATE,
    release_date_precision VARCHAR,
    total_tracks NUMBER(38, 0),
    label VARCHAR,
    upc VARCHAR,
    url VARCHAR NOT NULL,
    image_url VARCHAR,
    file_name VARCHAR NOT NULL,
    file_row NUMBER(38, 0) NOT NULL
);

CREATE TRANSIENT TABLE IF NOT EXISTS artists_landing (
    playlist_id VARCHAR NOT NULL,
    snapshot_date DATE NOT NULL,
    run_id VARCHAR NOT NULL,
    artist_id VARCHAR NOT NULL,
    name VARCHAR,
    url VARCHAR NOT NULL,
    genres VARCHAR,
    popularity NUMBER(38, 0),
    follower_count NUMBER(38, 0),
    file_name VARCHAR NOT NULL,
    file_row NUMBER(38, 0) NOT NULL
);

CREATE TRANSIENT TABLE IF NOT EXISTS song_artists_landing (
    playlist_id VARCHAR NOT NULL,
    snapshot_date DATE NOT NULL,
    run_id VARCHAR NOT NULL,
    song_id VARCHAR NOT NULL,
    artist_id VARCHAR NOT NULL,
    artist_position NUMBER(38, 0) NOT NULL,
    file_name VARCHAR NOT NULL,
    file_row NUMBER(38, 0) NOT NULL
);

CREATE TRANSIENT TABLE IF NOT EXISTS album_artists_landing (
    playlist_id VARCHAR NOT NULL,
    snapshot_date DATE NOT NULL,
    run_id VARCHAR NOT NULL,
    album_id VARCHAR NOT NULL,
    artist_id VARCHAR NOT NULL,
    artist_position NUMBER(38, 0) NOT NULL,
    file_name VARCHAR NOT NULL,
    file_row NUMBER(38, 0) NOT NULL
);

CREATE TRANSIENT TABLE IF NOT EXISTS rejects_landing (
    playlist_id VARCHAR NOT NULL,
    snapshot_date DATE NOT NULL,
    run_id VARCHAR NOT NULL,
    position NUMBER(38, 0) NOT NULL,
    reason VARCHAR NOT NULL,
    entry VARCHAR NOT NULL,
    file_name VARCHAR NOT NULL,
    file_row NUMBER(38, 0) NOT NULL
);
