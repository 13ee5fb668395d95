-- The lake as Snowflake sees it; the integration is made once per account (sql/account).
CREATE OR REPLACE STAGE lake
URL = ${url}
STORAGE_INTEGRATION = spotify_lake;
