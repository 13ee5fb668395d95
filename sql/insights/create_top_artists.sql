-- Artists of each snapshot: number of songs, and best position of these songs.
CREATE OR REPLACE VIEW top_artists COPY GRANTS AS
SELECT
    p.playlist_id,
    p.snapshot_date,
    c.artist_id,
    a.name AS artist_name,
    COUNT(DISTINCT p.song_id) AS song_count,
    MIN(p.position) AS best_position,
    RANK() OVER (
        PARTITION BY p.playlist_id, p.snapshot_date
        ORDER BY COUNT(DISTINCT p.song_id) DESC, MIN(p.position) ASC
    ) AS artist_rank
FROM playlist_songs_history AS p
INNER JOIN song_artists_history AS c
    ON p.playlist_id = c.playlist_id AND p.snapshot_date = c.snapshot_date AND p.song_id = c.song_id
INNER JOIN artists_history AS a
    ON c.playlist_id = a.playlist_id AND c.snapshot_date = a.snapshot_date AND c.artist_id = a.artist_id
GROUP BY p.playlist_id, p.snapshot_date, c.artist_id, a.name;
