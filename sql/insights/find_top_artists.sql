SELECT artist_rank AS "rank", artist_name AS "artist", song_count AS "songs", best_position AS "best"
FROM top_artists
WHERE playlist_id = ? AND snapshot_date = ?
ORDER BY artist_rank ASC, artist_name ASC
LIMIT 10
