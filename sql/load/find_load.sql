-- A run that is in the ledger has committed, even where the answer to COMMIT was lost.
SELECT COUNT(*) AS partition_count
FROM loads
WHERE run_id = ?
