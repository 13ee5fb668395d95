-- The ten artists with the most songs in each snapshot, and their share of the songs.
-- Value: a JSON list of objects with playlist_id and snapshot_date.
WITH wanted AS (
    SELECT
        part.value:playlist_id::VARCHAR AS playlist_id,
        part.value:snapshot_date::DATE AS snapshot_date
    FROM TABLE(FLATTEN(INPUT => PARSE_JSON(?))) AS part
),

totals AS (
    SELECT w.playlist_id, w.snapshot_date, COUNT(DISTINCT l.song_id) AS song_count
    FROM wanted AS w
    INNER JOIN playlist_songs_history AS l
        ON w.playlist_id = l.playlist_id AND w.snapshot_date = l.snapshot_date
    GROUP BY w.playlist_id, w.snapshot_date
)

SELECT
    t.playlist_id,
    COALESCE(a.artist_name, a.artist_id) AS label,
    a.song_count AS entry_count,
    100 * a.song_count / t.song_count AS percent
FROM totals AS t
INNER JOIN top_artists AS a ON t.playlist_id = a.playlist_id AND t.snapshot_date = a.snapshot_date
QUALIFY ROW_NUMBER() OVER (PARTITION BY t.playlist_id ORDER BY a.artist_rank ASC, a.artist_id ASC) <= 10
ORDER BY t.playlist_id ASC, a.artist_rank ASC, a.artist_id ASC
