-- Which run's snapshot wins in each partition of this run; pipeline/lake/snapshots.py ranks kept snapshots likewise:
-- fetched on the date that it stands for, then later. Of equal ones the run that loads now wins.
-- The second value is ignore_rank: the run's own wins.
SELECT candidate.playlist_id, candidate.snapshot_date, candidate.run_id
FROM playlists_history AS candidate
INNER JOIN playlists_history AS own
    ON candidate.playlist_id = own.playlist_id AND candidate.snapshot_date = own.snapshot_date
WHERE own.run_id = ?
QUALIFY ROW_NUMBER() OVER (
    PARTITION BY candidate.playlist_id, candidate.snapshot_date
    ORDER BY
        IFF(candidate.run_id = own.run_id, ?, FALSE) DESC,
        candidate.fetched_at::DATE = candidate.snapshot_date DESC,
        candidate.fetched_at DESC,
        candidate.run_id = own.run_id DESC
) = 1
