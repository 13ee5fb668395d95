-- Which run's snapshot wins in each partition of this run; pipeline/lake/snapshots.py ranks kept snapshots likewise:
-- fetched on the date that it stands for, then later. Equal ones are the same snapshot: the run that loads it now wins.
SELECT look.playlist_id, look.snapshot_date, look.run_id
FROM playlists_history AS look
INNER JOIN playlists_history AS own
    ON look.playlist_id = own.playlist_id AND look.snapshot_date = own.snapshot_date
WHERE own.run_id = ?
QUALIFY ROW_NUMBER() OVER (
    PARTITION BY look.playlist_id, look.snapshot_date
    ORDER BY
        IFF(look.run_id = own.run_id, ?, FALSE) DESC,
        look.fetched_at::DATE = look.snapshot_date DESC,
        look.fetched_at DESC,
        look.run_id = own.run_id DESC
) = 1
