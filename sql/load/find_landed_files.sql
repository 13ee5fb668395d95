-- This run's files in the landing table, with their number of rows.
SELECT file_name, COUNT(*) AS row_count
FROM ${table}
WHERE run_id = ?
GROUP BY file_name
