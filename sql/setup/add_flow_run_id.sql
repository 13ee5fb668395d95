-- Version 5: by which flow run in Prefect a partition was loaded.
ALTER TABLE loads ADD COLUMN IF NOT EXISTS flow_run_id VARCHAR;
