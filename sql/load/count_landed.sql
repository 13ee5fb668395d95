-- Rows of a run; made from flows/transform/schema.py by `make generate`.
SELECT 'playlists' AS table_name, COUNT(*) AS row_count FROM playlists_landing
WHERE run_id = ?
UNION ALL
SELECT 'playlist_songs' AS table_name, COUNT(*) AS row_count FROM playlist_songs_landing
WHERE run_id = ?
UNION ALL
SELECT 'songs' AS table_name, COUNT(*) AS row_count FROM songs_landing
WHERE run_id = ?
UNION ALL
SELECT 'albums' AS table_name, COUNT(*) AS row_count FROM albums_landing
WHERE run_id = ?
UNION ALL
SELECT 'artists' AS table_name, COUNT(*) AS row_count FROM artists_landing
WHERE run_id = ?
UNION ALL
SELECT 'song_artists' AS table_name, COUNT(*) AS row_count FROM song_artists_landing
WHERE run_id = ?
UNION ALL
SELECT 'album_artists' AS table_name, COUNT(*) AS row_count FROM album_artists_landing
WHERE run_id = ?
UNION ALL
SELECT 'rejects' AS table_name, COUNT(*) AS row_count FROM rejects_landing
WHERE run_id = ?
