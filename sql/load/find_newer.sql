-- Partitions of this run that the warehouse already holds from a later look at the playlist.
SELECT old.playlist_id, old.snapshot_date
FROM playlists_history AS old
INNER JOIN playlists_history AS new
    ON old.playlist_id = new.playlist_id AND old.snapshot_date = new.snapshot_date
WHERE new.run_id = ? AND old.run_id <> ? AND old.fetched_at > new.fetched_at
