-- Role, warehouse, database and schema of the session. Null: the object does not exist, or the role may not use it.
SELECT
    CURRENT_ROLE() AS role_name,
    CURRENT_WAREHOUSE() AS warehouse_name,
    CURRENT_DATABASE() AS database_name,
    CURRENT_SCHEMA() AS schema_name
