-- Version of the schema, URL of its lake, and number of its views that exist and are visible to the role.
SELECT
    s.version,
    s.lake_url,
    (
        SELECT COUNT(*)
        FROM information_schema.views AS v
        WHERE v.table_schema = CURRENT_SCHEMA() AND v.table_name IN (${names})
    ) AS view_count
FROM schema_versions AS s
ORDER BY s.version DESC, s.applied_at DESC
LIMIT 1
