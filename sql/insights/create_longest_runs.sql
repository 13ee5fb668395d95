-- How long songs stay, in consecutive snapshots of the playlist. A date without a snapshot does not end a stay.
CREATE OR REPLACE VIEW longest_runs COPY GRANTS AS
WITH chart AS (
    SELECT playlist_id, snapshot_date, song_id, MIN(position) AS place
    FROM playlist_songs_history
    GROUP BY playlist_id, snapshot_date, song_id
),

snapshots AS (
    SELECT
        playlist_id,
        snapshot_date,
        ROW_NUMBER() OVER (PARTITION BY playlist_id ORDER BY snapshot_date ASC) AS snapshot_number
    FROM playlists_history
),

numbered AS (
    SELECT
        c.playlist_id,
        c.snapshot_date,
        c.song_id,
        c.place,
        n.snapshot_number
        - ROW_NUMBER() OVER (PARTITION BY c.playlist_id, c.song_id ORDER BY c.snapshot_date ASC) AS stay
    FROM chart AS c
    INNER JOIN snapshots AS n ON c.playlist_id = n.playlist_id AND c.snapshot_date = n.snapshot_date
),

stays AS (
    SELECT
        playlist_id,
        song_id,
        MIN(snapshot_date) AS first_date,
        MAX(snapshot_date) AS last_date,
        COUNT(*) AS snapshot_count,
        MIN(place) AS best_position
    FROM numbered
    GROUP BY playlist_id, song_id, stay
)

SELECT
    t.playlist_id,
    t.song_id,
    s.name AS song_name,
    t.first_date,
    t.last_date,
    t.snapshot_count,
    t.best_position
FROM stays AS t
INNER JOIN songs_history AS s
    ON t.playlist_id = s.playlist_id AND t.song_id = s.song_id AND t.last_date = s.snapshot_date;
