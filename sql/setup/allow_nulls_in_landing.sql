-- Version 2 of the pipes: landing tables accept the same nulls as the history tables. Pipes need no change, because
-- their column lists stay the same, and replacing a pipe drops its load history.
ALTER TABLE songs_landing ALTER COLUMN duration_ms DROP NOT NULL;
ALTER TABLE songs_landing ALTER COLUMN is_explicit DROP NOT NULL;
ALTER TABLE songs_landing ALTER COLUMN disc_number DROP NOT NULL;
ALTER TABLE songs_landing ALTER COLUMN track_number DROP NOT NULL;
ALTER TABLE albums_landing ALTER COLUMN name DROP NOT NULL;
ALTER TABLE albums_landing ALTER COLUMN album_type DROP NOT NULL;
ALTER TABLE albums_landing ALTER COLUMN total_tracks DROP NOT NULL;
ALTER TABLE artists_landing ALTER COLUMN name DROP NOT NULL;
