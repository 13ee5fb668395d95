-- refresh="full": all other rows go, other playlists' history too; only by the transaction that took the lock.
DELETE FROM ${table}
WHERE run_id <> ? AND EXISTS (
    SELECT 1
    FROM writer_lock
    WHERE writer_lock.id = 1 AND writer_lock.run_id = ?
)
