-- Optional: a separate user for schema changes, so that the loader's user has no privileges to change the schema.
-- Fill in its public key; docs/by-hand.md explains how to create the key pair.
USE ROLE accountadmin;
CREATE USER IF NOT EXISTS spotify_admin TYPE = service DEFAULT_ROLE = spotify_owner DEFAULT_SECONDARY_ROLES = ();
GRANT ROLE spotify_owner TO USER spotify_admin;
ALTER USER spotify_admin SET RSA_PUBLIC_KEY = ${public_key};
