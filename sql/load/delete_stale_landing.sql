-- Rows of old runs: run ids start with the start time. Pipes track files for 14 days, so no file of an older run lands.
DELETE FROM ${table}
WHERE run_id < ?
