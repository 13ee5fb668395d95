-- The writer lock is one row, which every load updates first.
SELECT COUNT(*) AS row_count
FROM writer_lock
WHERE id = 1
