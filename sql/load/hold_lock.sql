-- Only the transaction that holds the lock sees its run_id here. If the server has aborted it, no row is updated.
UPDATE writer_lock
SET locked_at = SYSDATE()
WHERE id = 1 AND run_id = ?
