-- Ledger: one row per partition that this run loaded, from one JSON document. Only the transaction that holds the lock
-- sees its run_id in writer_lock. If the server has aborted it, no row is inserted.
INSERT INTO loads (
    run_id, flow_run_id, code_version, load, receipt_key, playlist_id, snapshot_date, source_key, source_fetched_at,
    snapshot_id, item_count, rejected, rows_by_table, load_results, loaded_at
)
SELECT
    ?,
    ?,
    ?,
    ?,
    ?,
    part.value:playlist_id::VARCHAR,
    part.value:snapshot_date::DATE,
    part.value:source_key::VARCHAR,
    part.value:source_fetched_at::TIMESTAMP_NTZ,
    part.value:snapshot_id::VARCHAR,
    part.value:item_count::NUMBER,
    part.value:rejected::NUMBER,
    part.value:rows_by_table,
    part.value:load_results,
    SYSDATE()
FROM TABLE(FLATTEN(INPUT => PARSE_JSON(?))) AS part
WHERE EXISTS (
    SELECT 1
    FROM writer_lock
    WHERE writer_lock.id = 1 AND writer_lock.run_id = ?
)
