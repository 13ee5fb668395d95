-- The schema's version, its lake, and how many of its views are there as views; dropped or hidden ones are not counted.
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
