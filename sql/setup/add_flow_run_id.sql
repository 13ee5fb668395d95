-- Version 5: id of the Prefect flow run that loaded the partition.
ALTER TABLE loads ADD COLUMN IF NOT EXISTS flow_run_id VARCHAR;
