-- Fails if a column does not exist; reads no rows.
SELECT ${columns}
FROM ${table}
WHERE FALSE
