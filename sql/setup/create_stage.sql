-- The tables of the lake as Snowflake sees them, nothing else of it; the integration is made once per account.
CREATE OR REPLACE STAGE lake
URL = ${url}
STORAGE_INTEGRATION = spotify_lake;
