-- In the partitions of this run the latest look at the playlist stays; the run itself, where forced or equal.
DELETE FROM ${table}
USING (
    SELECT look.playlist_id, look.snapshot_date, look.run_id
    FROM playlists_history AS look
    INNER JOIN playlists_history AS own
        ON look.playlist_id = own.playlist_id AND look.snapshot_date = own.snapshot_date
    WHERE own.run_id = ?
    QUALIFY ROW_NUMBER() OVER (
        PARTITION BY look.playlist_id, look.snapshot_date
        ORDER BY IFF(look.run_id = own.run_id, ?, FALSE) DESC, look.fetched_at DESC, look.run_id = own.run_id DESC
    ) = 1
) AS latest
WHERE ${table}.playlist_id = latest.playlist_id
    AND ${table}.snapshot_date = latest.snapshot_date
    AND ${table}.run_id <> latest.run_id
