-- The run whose snapshot wins in each partition of this run. Snapshots fetched on their own date rank first, then those
-- fetched later, as in pipeline/lake/snapshots.py; among equals, this run wins.
-- Second value: ignore_rank; if true, this run always wins.
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
