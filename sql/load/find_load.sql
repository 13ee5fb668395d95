-- A run that is in the ledger has committed, even where the answer to COMMIT was lost.
SELECT 1 AS committed
FROM loads
WHERE run_id = ?
LIMIT 1
