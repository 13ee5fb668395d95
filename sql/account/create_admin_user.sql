-- Optional: a user of its own for changes of the schema, so that the loader needs no right to make them.
-- Fill in its public key; docs/by-hand.md says how to make the pair.
USE ROLE accountadmin;
CREATE USER IF NOT EXISTS spotify_admin TYPE = service DEFAULT_ROLE = spotify_owner DEFAULT_SECONDARY_ROLES = ();
GRANT ROLE spotify_owner TO USER spotify_admin;
ALTER USER spotify_admin SET RSA_PUBLIC_KEY = ${public_key};
