-- Ages of the songs at the date of the snapshot, by release date of the album.
-- Value: a JSON list of objects with playlist_id and snapshot_date.
WITH wanted AS (
    SELECT
        part.value:playlist_id::VARCHAR AS playlist_id,
        part.value:snapshot_date::DATE AS snapshot_date
    FROM TABLE(FLATTEN(INPUT => PARSE_JSON(?))) AS part
),

songs_now AS (
    SELECT
        l.playlist_id,
        CASE
            WHEN b.release_date IS NULL THEN 6
            WHEN b.release_date > DATEADD(MONTH, -1, l.snapshot_date) THEN 1
            WHEN b.release_date > DATEADD(YEAR, -1, l.snapshot_date) THEN 2
            WHEN b.release_date > DATEADD(YEAR, -5, l.snapshot_date) THEN 3
            WHEN b.release_date > DATEADD(YEAR, -20, l.snapshot_date) THEN 4
            ELSE 5
        END AS age
    FROM wanted AS w
    INNER JOIN playlist_songs_history AS l
        ON w.playlist_id = l.playlist_id AND w.snapshot_date = l.snapshot_date
    INNER JOIN songs_history AS s
        ON l.playlist_id = s.playlist_id AND l.snapshot_date = s.snapshot_date AND l.song_id = s.song_id
    INNER JOIN albums_history AS b
        ON s.playlist_id = b.playlist_id AND s.snapshot_date = b.snapshot_date AND s.album_id = b.album_id
)

SELECT
    playlist_id,
    DECODE(
        age, 1, 'under a month', 2, 'under a year', 3, '1 to 5 years', 4, '5 to 20 years', 5, 'over 20 years', 'unknown'
    ) AS label,
    COUNT(*) AS entry_count,
    100 * COUNT(*) / SUM(COUNT(*)) OVER (PARTITION BY playlist_id) AS percent
FROM songs_now
GROUP BY playlist_id, age
ORDER BY playlist_id ASC, age ASC
