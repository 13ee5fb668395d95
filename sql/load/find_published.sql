-- What readers see for a date, and which runs put it there. A snapshot fetched on another date counts only for a run
-- that fetches on another date, too (second value): otherwise the run's own would outrank it.
SELECT h.playlist_id, h.snapshot_id, l.receipt_key
FROM playlists_history AS h
INNER JOIN loads AS l
    ON h.run_id = l.run_id AND h.playlist_id = l.playlist_id AND h.snapshot_date = l.snapshot_date
WHERE h.snapshot_date = ? AND (h.fetched_at::DATE = h.snapshot_date OR ?)
