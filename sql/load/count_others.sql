-- Partitions, and their playlists, that refresh="full" deletes in addition to those that this run replaces.
SELECT COUNT(*) AS partition_count, COUNT(DISTINCT old.playlist_id) AS playlist_count
FROM playlists_history AS old
LEFT JOIN playlists_history AS own
    ON own.run_id = ? AND old.playlist_id = own.playlist_id AND old.snapshot_date = own.snapshot_date
WHERE old.run_id <> ? AND own.run_id IS NULL
