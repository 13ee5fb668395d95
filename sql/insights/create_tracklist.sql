-- Songs of each playlist's newest snapshot.
CREATE OR REPLACE VIEW tracklist COPY GRANTS AS
SELECT
    h.playlist_id,
    h.playlist_name,
    h.snapshot_date,
    h.position,
    h.song_id,
    h.song_name,
    h.artist_names,
    h.artist_id,
    h.album_id,
    h.album_name,
    h.release_date,
    h.duration_ms,
    h.is_explicit,
    h.popularity,
    h.isrc,
    h.added_at,
    h.added_by,
    h.song_url
FROM tracklist_history AS h
INNER JOIN newest_snapshots AS n
    ON h.playlist_id = n.playlist_id AND h.snapshot_date = n.snapshot_date;
