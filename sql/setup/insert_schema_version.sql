INSERT INTO ${table} (version, lake_url, code_version, applied_at)
SELECT ?, ?, ?, SYSDATE()
