-- Pipes have a separate version, because they are created only by runs that load with Snowpipe.
CREATE TABLE IF NOT EXISTS snowpipe_versions (
    version NUMBER(38, 0) NOT NULL,
    lake_url VARCHAR NOT NULL,
    code_version VARCHAR NOT NULL,
    applied_at TIMESTAMP_NTZ(3) NOT NULL
);
