INSERT INTO ${table} (${columns})
SELECT ${columns}
FROM ${landing}
WHERE run_id = ?
