-- Version 3: these columns may be null, because songs are kept even if Spotify does not send the values. Views need no
-- change, and replacing a view could drop its grants.
ALTER TABLE songs_history ALTER COLUMN duration_ms DROP NOT NULL;
ALTER TABLE songs_history ALTER COLUMN is_explicit DROP NOT NULL;
ALTER TABLE songs_history ALTER COLUMN disc_number DROP NOT NULL;
ALTER TABLE songs_history ALTER COLUMN track_number DROP NOT NULL;
ALTER TABLE albums_history ALTER COLUMN name DROP NOT NULL;
ALTER TABLE albums_history ALTER COLUMN album_type DROP NOT NULL;
ALTER TABLE albums_history ALTER COLUMN total_tracks DROP NOT NULL;
ALTER TABLE artists_history ALTER COLUMN name DROP NOT NULL;
