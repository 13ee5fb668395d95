-- Stage on the lake's `tables/` only. The storage integration is created once per account (sql/account).
CREATE OR REPLACE STAGE lake
URL = ${url}
STORAGE_INTEGRATION = spotify_lake;
