-- In the partitions of this run the latest look at the playlist stays; the run itself, where forced or equal.
DELETE FROM ${table}
USING (
    SELECT playlist_id, snapshot_date, run_id
    FROM playlists_history
    WHERE (playlist_id, snapshot_date) IN (
        SELECT playlist_id, snapshot_date FROM playlists_history WHERE run_id = ?
    )
    QUALIFY ROW_NUMBER() OVER (
        PARTITION BY playlist_id, snapshot_date
        ORDER BY IFF(run_id = ?, ?, FALSE) DESC, fetched_at DESC, IFF(run_id = ?, 1, 0) DESC
    ) = 1
) AS latest
WHERE ${table}.playlist_id = latest.playlist_id
    AND ${table}.snapshot_date = latest.snapshot_date
    AND ${table}.run_id <> latest.run_id
