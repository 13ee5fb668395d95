-- What playlists list in a snapshot, and what they listed in the one before; rejects with their reason. Columns as
-- those of find_listed_songs. One JSON list of objects: playlist_id, playlist_name, snapshot_date, previous_date.
WITH compared AS (
    SELECT
        part.value:playlist_id::VARCHAR AS playlist_id,
        part.value:playlist_name::VARCHAR AS playlist_name,
        part.value:snapshot_date::DATE AS snapshot_date,
        part.value:previous_date::DATE AS previous_date
    FROM TABLE(FLATTEN(INPUT => PARSE_JSON(?))) AS part
),

listings AS (
    SELECT playlist_id, snapshot_date AS listed_on, TRUE AS is_later
    FROM compared
    UNION ALL
    SELECT playlist_id, previous_date AS listed_on, FALSE AS is_later
    FROM compared
),

entries AS (
    SELECT
        l.playlist_id,
        d.is_later,
        l.position,
        l.song_id,
        s.name AS song_name,
        a.name AS artist_name,
        l.added_by,
        NULL AS reason
    FROM listings AS d
    INNER JOIN playlist_songs_history AS l ON d.playlist_id = l.playlist_id AND d.listed_on = l.snapshot_date
    INNER JOIN songs_history AS s
        ON l.playlist_id = s.playlist_id AND l.snapshot_date = s.snapshot_date AND l.song_id = s.song_id
    INNER JOIN artists_history AS a
        ON s.playlist_id = a.playlist_id AND s.snapshot_date = a.snapshot_date AND s.artist_id = a.artist_id
    UNION ALL
    SELECT
        r.playlist_id,
        d.is_later,
        r.position,
        NULL AS song_id,
        NULL AS song_name,
        NULL AS artist_name,
        NULL AS added_by,
        r.reason
    FROM listings AS d
    INNER JOIN rejects_history AS r ON d.playlist_id = r.playlist_id AND d.listed_on = r.snapshot_date
)

SELECT
    c.playlist_id,
    c.playlist_name,
    c.snapshot_date,
    c.previous_date,
    TRUE AS is_compared,
    e.is_later,
    e.position,
    e.song_id,
    e.song_name,
    e.artist_name,
    e.added_by,
    e.reason
FROM compared AS c
LEFT JOIN entries AS e ON c.playlist_id = e.playlist_id
ORDER BY c.playlist_id ASC, e.position ASC
