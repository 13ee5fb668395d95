-- Execute once in an account that an earlier release set up, after executing create_account_objects.sql again.
-- Can be repeated. Fill in the URL of the lake's `tables/`; see docs/by-hand.md.
USE ROLE accountadmin;
-- Only after a run of this release has recreated the stage: the old stage's URL is outside the new allowed location.
ALTER STORAGE INTEGRATION spotify_lake SET STORAGE_ALLOWED_LOCATIONS = (${tables_url});
-- In earlier releases, all roles of the user were active in every session, so the loader could change the schema.
ALTER USER spotify_pipeline SET DEFAULT_SECONDARY_ROLES = ();
-- Grants on future views do not apply to existing views.
GRANT SELECT ON ALL VIEWS IN SCHEMA spotify.playlists TO ROLE spotify_loader;
