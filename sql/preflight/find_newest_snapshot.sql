-- Date of the newest snapshot, and number of playlists.
SELECT
    MAX(snapshot_date) AS newest_date,
    COUNT(DISTINCT playlist_id) AS playlist_count
FROM playlists_history
