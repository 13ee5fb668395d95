-- A run that is in the ledger has committed, even where the answer to COMMIT was lost.
SELECT playlist_id, snapshot_date
FROM loads
WHERE run_id = ?
