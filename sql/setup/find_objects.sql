-- Existing views and tables that have the name of one of our views.
SELECT table_name AS name, 'VIEW' AS kind
FROM information_schema.views
WHERE table_schema = CURRENT_SCHEMA() AND table_name IN (${names})
UNION ALL
SELECT table_name AS name, 'TABLE' AS kind
FROM information_schema.tables
WHERE table_schema = CURRENT_SCHEMA() AND table_type = 'BASE TABLE' AND table_name IN (${names})
