-- Needs UPDATE; changes no rows, and so waits for no run that holds the lock.
UPDATE writer_lock
SET run_id = run_id
WHERE FALSE
