-- Run ids start with the time of the run. Pipes remember a file for 14 days: older ones cannot come again.
DELETE FROM ${table}
WHERE run_id < ?
