-- The first songs of each snapshot, with their history up to its date.
-- Values: a JSON list of objects with playlist_id, snapshot_date and previous_date; the number of songs per playlist.
-- If a song is listed twice, the peak is its best position, and previous_position is of the same occurrence.
WITH wanted AS (
    SELECT
        part.value:playlist_id::VARCHAR AS playlist_id,
        part.value:snapshot_date::DATE AS snapshot_date,
        part.value:previous_date::DATE AS previous_date
    FROM TABLE(FLATTEN(INPUT => PARSE_JSON(?))) AS part
),

listed AS (
    SELECT
        l.playlist_id,
        l.snapshot_date,
        l.position,
        l.song_id,
        l.added_by,
        w.previous_date,
        ROW_NUMBER() OVER (PARTITION BY l.playlist_id ORDER BY l.position ASC) AS place,
        ROW_NUMBER() OVER (PARTITION BY l.playlist_id, l.song_id ORDER BY l.position ASC) AS occurrence
    FROM wanted AS w
    INNER JOIN playlist_songs_history AS l
        ON w.playlist_id = l.playlist_id AND w.snapshot_date = l.snapshot_date
),

shown AS (
    SELECT *
    FROM listed
    WHERE place <= ?
),

earlier AS (
    SELECT
        l.playlist_id,
        l.position,
        l.song_id,
        ROW_NUMBER() OVER (PARTITION BY l.playlist_id, l.song_id ORDER BY l.position ASC) AS occurrence
    FROM wanted AS w
    INNER JOIN playlist_songs_history AS l
        ON w.playlist_id = l.playlist_id AND w.previous_date = l.snapshot_date
),

journeys AS (
    SELECT
        l.playlist_id,
        l.song_id,
        MIN(l.position) AS peak_position,
        COUNT(DISTINCT l.snapshot_date) AS snapshot_count
    FROM shown AS w
    INNER JOIN playlist_songs_history AS l
        ON
            w.playlist_id = l.playlist_id
            AND w.song_id = l.song_id
            AND w.snapshot_date >= l.snapshot_date
    GROUP BY l.playlist_id, l.song_id
),

artists AS (
    SELECT
        w.playlist_id,
        w.position,
        NULLIF(LISTAGG(a.name, ', ') WITHIN GROUP (ORDER BY c.artist_position ASC), '') AS artist_names
    FROM shown AS w
    INNER JOIN song_artists_history AS c
        ON w.playlist_id = c.playlist_id AND w.snapshot_date = c.snapshot_date AND w.song_id = c.song_id
    INNER JOIN artists_history AS a
        ON c.playlist_id = a.playlist_id AND c.snapshot_date = a.snapshot_date AND c.artist_id = a.artist_id
    GROUP BY w.playlist_id, w.position
)

SELECT
    w.playlist_id,
    w.position,
    w.song_id,
    s.name AS song_name,
    a.artist_names,
    w.added_by,
    e.position AS previous_position,
    j.peak_position,
    j.snapshot_count
FROM shown AS w
INNER JOIN songs_history AS s
    ON w.playlist_id = s.playlist_id AND w.snapshot_date = s.snapshot_date AND w.song_id = s.song_id
INNER JOIN journeys AS j ON w.playlist_id = j.playlist_id AND w.song_id = j.song_id
LEFT JOIN artists AS a ON w.playlist_id = a.playlist_id AND w.position = a.position
LEFT JOIN earlier AS e
    ON w.playlist_id = e.playlist_id AND w.song_id = e.song_id AND w.occurrence = e.occurrence
ORDER BY w.playlist_id ASC, w.position ASC
