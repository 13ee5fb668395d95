-- Needs DELETE; deletes no rows.
DELETE FROM ${table}
WHERE FALSE
