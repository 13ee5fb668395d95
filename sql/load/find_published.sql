-- What readers see for a date, and which runs put it there. What was fetched on another date counts only for runs
-- that do so, too: one that fetches on the date itself ranks higher.
SELECT h.playlist_id, h.snapshot_id, l.receipt_key
FROM playlists_history AS h
INNER JOIN loads AS l
    ON h.run_id = l.run_id AND h.playlist_id = l.playlist_id AND h.snapshot_date = l.snapshot_date
WHERE h.snapshot_date = ? AND (h.fetched_at::DATE = h.snapshot_date OR ?)
