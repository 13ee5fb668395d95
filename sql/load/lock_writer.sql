-- First in the transaction, so that all later statements see the changes that the previous writer committed.
UPDATE writer_lock
SET run_id = ?, locked_at = SYSDATE()
WHERE id = 1
