-- Snapshots that are published for a date, and the receipts of their runs. Second value: whether this run fetches on
-- another date. If not, only snapshots fetched on the date count, because this run's snapshots outrank all others.
SELECT h.playlist_id, h.snapshot_id, l.receipt_key
FROM playlists_history AS h
INNER JOIN loads AS l
    ON h.run_id = l.run_id AND h.playlist_id = l.playlist_id AND h.snapshot_date = l.snapshot_date
WHERE h.snapshot_date = ? AND (h.fetched_at::DATE = h.snapshot_date OR ?)
