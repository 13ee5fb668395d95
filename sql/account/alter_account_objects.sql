-- Once in an account that an earlier release set up, after create_account_objects has been run again; may be repeated.
-- Fill in the lake's `tables/`; see docs/by-hand.md.
USE ROLE accountadmin;
-- Only after a run of this release has moved the stage there: the old one shows more.
ALTER STORAGE INTEGRATION spotify_lake SET STORAGE_ALLOWED_LOCATIONS = (${tables_url});
-- A user of an earlier release has all its roles in every session: the loader could change the schema.
ALTER USER spotify_pipeline SET DEFAULT_SECONDARY_ROLES = ();
-- What is granted on future views does not hold for those that are there.
GRANT SELECT ON ALL VIEWS IN SCHEMA spotify.playlists TO ROLE spotify_loader;
