-- Needs SELECT; reads no rows.
SELECT 1 AS one
FROM ${table}
WHERE FALSE
