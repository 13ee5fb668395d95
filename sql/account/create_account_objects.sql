-- Execute once per account; can be repeated. Needs ACCOUNTADMIN, which can create integrations and grant privileges
-- on future objects. Fill in the IAM role that Snowflake assumes to read the lake, and the URL of the lake's
-- `tables/`; see docs/by-hand.md.
USE ROLE accountadmin;
CREATE DATABASE IF NOT EXISTS spotify;
CREATE SCHEMA IF NOT EXISTS spotify.playlists;
CREATE WAREHOUSE IF NOT EXISTS spotify_load
WITH WAREHOUSE_SIZE = XSMALL AUTO_SUSPEND = 60 AUTO_RESUME = TRUE INITIALLY_SUSPENDED = TRUE;

-- STORAGE_AWS_EXTERNAL_ID is set here because the role's trust policy already contains it. sqlfluff cannot parse it.
CREATE STORAGE INTEGRATION IF NOT EXISTS spotify_lake
TYPE = EXTERNAL_STAGE
STORAGE_PROVIDER = S3
ENABLED = TRUE
STORAGE_AWS_ROLE_ARN = ${role_arn}
STORAGE_AWS_EXTERNAL_ID = ${external_id} -- noqa: PRS
STORAGE_ALLOWED_LOCATIONS = (${tables_url});

-- spotify_owner changes the schema, spotify_loader loads data, spotify_reader reads it.
CREATE ROLE IF NOT EXISTS spotify_owner;
CREATE ROLE IF NOT EXISTS spotify_loader;
CREATE ROLE IF NOT EXISTS spotify_reader;
-- SYSADMIN inherits the privileges of these roles, so administrators can see the objects.
GRANT ROLE spotify_owner TO ROLE sysadmin;
GRANT ROLE spotify_loader TO ROLE sysadmin;
GRANT ROLE spotify_reader TO ROLE sysadmin;
GRANT USAGE ON WAREHOUSE spotify_load TO ROLE spotify_owner;
GRANT USAGE ON WAREHOUSE spotify_load TO ROLE spotify_loader;
GRANT USAGE ON WAREHOUSE spotify_load TO ROLE spotify_reader;
GRANT USAGE ON DATABASE spotify TO ROLE spotify_owner;
GRANT USAGE ON DATABASE spotify TO ROLE spotify_loader;
GRANT USAGE ON DATABASE spotify TO ROLE spotify_reader;
GRANT USAGE, CREATE TABLE, CREATE VIEW, CREATE STAGE, CREATE FILE FORMAT, CREATE PIPE
ON SCHEMA spotify.playlists TO ROLE spotify_owner;
GRANT USAGE ON SCHEMA spotify.playlists TO ROLE spotify_loader;
GRANT USAGE ON SCHEMA spotify.playlists TO ROLE spotify_reader;
GRANT USAGE ON INTEGRATION spotify_lake TO ROLE spotify_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON FUTURE TABLES IN SCHEMA spotify.playlists TO ROLE spotify_loader;
-- Set-up checks that the views exist; without this privilege, information_schema would not list them.
GRANT SELECT ON FUTURE VIEWS IN SCHEMA spotify.playlists TO ROLE spotify_loader;
GRANT USAGE ON FUTURE STAGES IN SCHEMA spotify.playlists TO ROLE spotify_loader;
GRANT USAGE ON FUTURE FILE FORMATS IN SCHEMA spotify.playlists TO ROLE spotify_loader;
GRANT MONITOR ON FUTURE PIPES IN SCHEMA spotify.playlists TO ROLE spotify_loader;
GRANT SELECT ON FUTURE TABLES IN SCHEMA spotify.playlists TO ROLE spotify_reader;
GRANT SELECT ON FUTURE VIEWS IN SCHEMA spotify.playlists TO ROLE spotify_reader;

-- User of the runs. `python -m blocks register` creates its key. Without secondary roles, only one role is active.
CREATE USER IF NOT EXISTS spotify_pipeline TYPE = service DEFAULT_ROLE = spotify_loader DEFAULT_SECONDARY_ROLES = ();
GRANT ROLE spotify_loader TO USER spotify_pipeline;
