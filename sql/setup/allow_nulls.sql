-- Version 3: a song is kept even if Spotify does not send these. Views are left alone: they read the tables as they are
-- now, and replacing a view would drop its grants.
ALTER TABLE songs_history ALTER COLUMN duration_ms DROP NOT NULL;
ALTER TABLE songs_history ALTER COLUMN is_explicit DROP NOT NULL;
ALTER TABLE songs_history ALTER COLUMN disc_number DROP NOT NULL;
ALTER TABLE songs_history ALTER COLUMN track_number DROP NOT NULL;
ALTER TABLE albums_history ALTER COLUMN name DROP NOT NULL;
ALTER TABLE albums_history ALTER COLUMN album_type DROP NOT NULL;
ALTER TABLE albums_history ALTER COLUMN total_tracks DROP NOT NULL;
ALTER TABLE artists_history ALTER COLUMN name DROP NOT NULL;
