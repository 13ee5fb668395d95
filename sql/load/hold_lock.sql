-- Only the transaction that took the lock sees its own run there: where the server has ended it, no row is updated.
UPDATE writer_lock
SET locked_at = SYSDATE()
WHERE id = 1 AND run_id = ?
