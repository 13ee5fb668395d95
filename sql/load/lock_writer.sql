-- First in the transaction, so that every other statement sees what the last writer committed.
UPDATE writer_lock
SET run_id = ?, locked_at = SYSDATE()
WHERE id = 1
