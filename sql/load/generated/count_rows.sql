-- Rows of a run by table and date. Each is one file; generated from pipeline/columns.py by `make generate`.
SELECT 'playlists' AS table_name, snapshot_date, COUNT(*) AS row_count FROM playlists_history
WHERE run_id = ?
GROUP BY snapshot_date
UNION ALL
SELECT 'playlist_songs' AS table_name, snapshot_date, COUNT(*) AS row_count FROM playlist_songs_history
WHERE run_id = ?
GROUP BY snapshot_date
UNION ALL
SELECT 'songs' AS table_name, snapshot_date, COUNT(*) AS row_count FROM songs_history
WHERE run_id = ?
GROUP BY snapshot_date
UNION ALL
SELECT 'albums' AS table_name, snapshot_date, COUNT(*) AS row_count FROM albums_history
WHERE run_id = ?
GROUP BY snapshot_date
UNION ALL
SELECT 'artists' AS table_name, snapshot_date, COUNT(*) AS row_count FROM artists_history
WHERE run_id = ?
GROUP BY snapshot_date
UNION ALL
SELECT 'song_artists' AS table_name, snapshot_date, COUNT(*) AS row_count FROM song_artists_history
WHERE run_id = ?
GROUP BY snapshot_date
UNION ALL
SELECT 'album_artists' AS table_name, snapshot_date, COUNT(*) AS row_count FROM album_artists_history
WHERE run_id = ?
GROUP BY snapshot_date
UNION ALL
SELECT 'rejects' AS table_name, snapshot_date, COUNT(*) AS row_count FROM rejects_history
WHERE run_id = ?
GROUP BY snapshot_date
