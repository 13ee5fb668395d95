-- Rows that this run has promoted.
DELETE FROM ${table}
WHERE run_id = ?
