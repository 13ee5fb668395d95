-- Songs of every snapshot, with names of artists and album. Filter by playlist_id and snapshot_date.
CREATE OR REPLACE VIEW tracklist_history COPY GRANTS AS
WITH credits AS (
    SELECT
        c.playlist_id,
        c.snapshot_date,
        c.song_id,
        NULLIF(LISTAGG(a.name, ', ') WITHIN GROUP (ORDER BY c.artist_position), '') AS artist_names
    FROM song_artists_history AS c
    INNER JOIN artists_history AS a
        ON c.playlist_id = a.playlist_id AND c.snapshot_date = a.snapshot_date AND c.artist_id = a.artist_id
    GROUP BY c.playlist_id, c.snapshot_date, c.song_id
)

SELECT
    l.playlist_id,
    p.name AS playlist_name,
    l.snapshot_date,
    l.position,
    l.song_id,
    s.name AS song_name,
    c.artist_names,
    s.artist_id,
    s.album_id,
    b.name AS album_name,
    b.release_date,
    s.duration_ms,
    s.is_explicit,
    s.popularity,
    s.isrc,
    l.added_at,
    l.added_by,
    s.url AS song_url
FROM playlist_songs_history AS l
INNER JOIN playlists_history AS p
    ON l.playlist_id = p.playlist_id AND l.snapshot_date = p.snapshot_date
LEFT JOIN songs_history AS s
    ON l.playlist_id = s.playlist_id AND l.snapshot_date = s.snapshot_date AND l.song_id = s.song_id
LEFT JOIN albums_history AS b
    ON s.playlist_id = b.playlist_id AND s.snapshot_date = b.snapshot_date AND s.album_id = b.album_id
LEFT JOIN credits AS c
    ON l.playlist_id = c.playlist_id AND l.snapshot_date = c.snapshot_date AND l.song_id = c.song_id;
