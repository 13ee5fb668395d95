-- Version 2: row counts that Snowflake reported for the files of a load, by table, and the files' size in bytes.
ALTER TABLE loads ADD COLUMN IF NOT EXISTS load_results VARIANT;
