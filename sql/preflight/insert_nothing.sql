-- Needs INSERT and SELECT; inserts no rows.
INSERT INTO ${table}
SELECT * -- noqa: AM04
FROM ${table}
WHERE FALSE
