-- Needs UPDATE; changes no rows, so it does not wait for a run that holds the lock.
UPDATE writer_lock
SET run_id = run_id
WHERE FALSE
