-- A run in the ledger has committed, even if the response to COMMIT was lost.
SELECT playlist_id, snapshot_date
FROM loads
WHERE run_id = ?
