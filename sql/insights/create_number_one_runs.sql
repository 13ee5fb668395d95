-- How long songs stay at position 1, in consecutive snapshots of the playlist. A date without a snapshot does not end
-- a stay.
CREATE OR REPLACE VIEW number_one_runs COPY GRANTS AS
WITH snapshots AS (
    SELECT
        playlist_id,
        snapshot_date,
        ROW_NUMBER() OVER (PARTITION BY playlist_id ORDER BY snapshot_date ASC) AS snapshot_number
    FROM playlists_history
),

numbered AS (
    SELECT
        l.playlist_id,
        l.snapshot_date,
        l.song_id,
        n.snapshot_number
        - ROW_NUMBER() OVER (PARTITION BY l.playlist_id, l.song_id ORDER BY l.snapshot_date ASC) AS stay
    FROM playlist_songs_history AS l
    INNER JOIN snapshots AS n ON l.playlist_id = n.playlist_id AND l.snapshot_date = n.snapshot_date
    WHERE l.position = 1
),

runs AS (
    SELECT
        playlist_id,
        song_id,
        MIN(snapshot_date) AS first_date,
        MAX(snapshot_date) AS last_date,
        COUNT(*) AS snapshot_count
    FROM numbered
    GROUP BY playlist_id, song_id, stay
)

SELECT
    r.playlist_id,
    r.song_id,
    s.name AS song_name,
    NULLIF(LISTAGG(a.name, ', ') WITHIN GROUP (ORDER BY c.artist_position), '') AS artist_names,
    r.first_date,
    r.last_date,
    r.snapshot_count
FROM runs AS r
LEFT JOIN songs_history AS s
    ON r.playlist_id = s.playlist_id AND r.last_date = s.snapshot_date AND r.song_id = s.song_id
LEFT JOIN song_artists_history AS c
    ON r.playlist_id = c.playlist_id AND r.last_date = c.snapshot_date AND r.song_id = c.song_id
LEFT JOIN artists_history AS a
    ON c.playlist_id = a.playlist_id AND c.snapshot_date = a.snapshot_date AND c.artist_id = a.artist_id
GROUP BY r.playlist_id, r.song_id, s.name, r.first_date, r.last_date, r.snapshot_count;
