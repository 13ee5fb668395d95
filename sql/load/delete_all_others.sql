-- refresh="full": deletes the rows of all other runs, the history of other playlists included. Deletes nothing unless
-- this transaction holds the writer lock.
DELETE FROM ${table}
WHERE run_id <> ? AND EXISTS (
    SELECT 1
    FROM writer_lock
    WHERE writer_lock.id = 1 AND writer_lock.run_id = ?
)
