-- Where a session is; a database, schema or warehouse that the role may not use is null.
SELECT
    CURRENT_ROLE() AS role_name,
    CURRENT_WAREHOUSE() AS warehouse_name,
    CURRENT_DATABASE() AS database_name,
    CURRENT_SCHEMA() AS schema_name
