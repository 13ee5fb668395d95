-- Control tables of the loads: schema version, writer lock, ledger.
CREATE TABLE IF NOT EXISTS schema_versions (
    version NUMBER(38, 0) NOT NULL,
    lake_url VARCHAR NOT NULL,
    code_version VARCHAR NOT NULL,
    applied_at TIMESTAMP_NTZ(3) NOT NULL
);

CREATE TABLE IF NOT EXISTS writer_lock (
    id NUMBER(38, 0) NOT NULL,
    run_id VARCHAR,
    locked_at TIMESTAMP_NTZ(3)
);

INSERT INTO writer_lock (id)
SELECT 1
WHERE NOT EXISTS (SELECT 1 FROM writer_lock);

CREATE TABLE IF NOT EXISTS loads (
    run_id VARCHAR NOT NULL,
    playlist_id VARCHAR NOT NULL,
    snapshot_date DATE NOT NULL,
    source_key VARCHAR NOT NULL,
    source_fetched_at TIMESTAMP_NTZ(3) NOT NULL,
    snapshot_id VARCHAR NOT NULL,
    item_count NUMBER(38, 0) NOT NULL,
    rejected NUMBER(38, 0) NOT NULL,
    rows_by_table VARIANT NOT NULL,
    load VARCHAR NOT NULL,
    receipt_key VARCHAR NOT NULL,
    code_version VARCHAR NOT NULL,
    loaded_at TIMESTAMP_NTZ(3) NOT NULL
);
