-- Which files this run's rows in landing came from, and how many from each.
SELECT file_name, COUNT(*) AS row_count
FROM ${table}
WHERE run_id = ?
GROUP BY file_name
