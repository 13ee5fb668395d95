-- Version 2: rows that the warehouse itself reported for the files of a load, by table, and the files' bytes.
ALTER TABLE loads ADD COLUMN IF NOT EXISTS load_results VARIANT;
