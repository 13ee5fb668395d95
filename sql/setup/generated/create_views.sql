-- Views of each playlist's newest snapshot; generated from pipeline/columns.py by `make generate`.
CREATE OR REPLACE VIEW newest_snapshots COPY GRANTS AS
SELECT playlist_id, snapshot_date, fetched_at
FROM playlists_history
QUALIFY RANK() OVER (PARTITION BY playlist_id ORDER BY snapshot_date DESC) = 1;

CREATE OR REPLACE VIEW playlists COPY GRANTS AS
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

CREATE OR REPLACE VIEW playlist_songs COPY GRANTS AS
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

CREATE OR REPLACE VIEW songs COPY GRANTS AS
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

CREATE OR REPLACE VIEW albums COPY GRANTS AS
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

CREATE OR REPLACE VIEW artists COPY GRANTS AS
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

CREATE OR REPLACE VIEW song_artists COPY GRANTS AS
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

CREATE OR REPLACE VIEW album_artists COPY GRANTS AS
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

CREATE OR REPLACE VIEW rejects COPY GRANTS AS
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
