-- Version 2 of the pipes: landing tables accept what history tables accept. Pipes are left alone: their column lists do
-- not change, and replacing a pipe would drop its load history.
ALTER TABLE songs_landing ALTER COLUMN duration_ms DROP NOT NULL;
ALTER TABLE songs_landing ALTER COLUMN is_explicit DROP NOT NULL;
ALTER TABLE songs_landing ALTER COLUMN disc_number DROP NOT NULL;
ALTER TABLE songs_landing ALTER COLUMN track_number DROP NOT NULL;
ALTER TABLE albums_landing ALTER COLUMN name DROP NOT NULL;
ALTER TABLE albums_landing ALTER COLUMN album_type DROP NOT NULL;
ALTER TABLE albums_landing ALTER COLUMN total_tracks DROP NOT NULL;
ALTER TABLE artists_landing ALTER COLUMN name DROP NOT NULL;
