-- Version 2: what the warehouse itself reported for the files of a load, by table: rows and bytes.
ALTER TABLE loads ADD COLUMN IF NOT EXISTS load_results VARIANT;
