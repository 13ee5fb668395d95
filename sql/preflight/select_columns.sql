-- Fails if a column is not there; reads no rows.
SELECT ${columns}
FROM ${table}
WHERE FALSE
