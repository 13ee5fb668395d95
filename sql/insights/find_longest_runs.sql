SELECT
    song_name AS "song",
    snapshot_count AS "days",
    first_date AS "from",
    last_date AS "to",
    best_position AS "best"
FROM longest_runs
WHERE playlist_id = ? AND last_date <= ?
ORDER BY snapshot_count DESC, best_position ASC, song_name ASC
LIMIT 5
