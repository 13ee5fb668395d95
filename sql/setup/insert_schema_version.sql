INSERT INTO schema_versions (version, lake_url, code_version, applied_at)
SELECT ?, ?, ?, SYSDATE()
