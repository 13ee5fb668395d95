SELECT version, lake_url
FROM ${table}
ORDER BY version DESC, applied_at DESC
LIMIT 1
