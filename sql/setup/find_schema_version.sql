SELECT version, lake_url
FROM schema_versions
ORDER BY version DESC, applied_at DESC
LIMIT 1
