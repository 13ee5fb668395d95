-- The newest snapshot, and how many playlists have one.
SELECT
    MAX(snapshot_date) AS newest_date,
    COUNT(DISTINCT playlist_id) AS playlist_count
FROM playlists_history
