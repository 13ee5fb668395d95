-- Where songs stood in the last 30 snapshots of playlists: those among the first songs now, and those that were in the
-- top ten. One JSON list of objects: playlist_id, snapshot_date; then how many first songs of each.
WITH wanted AS (
    SELECT
        part.value:playlist_id::VARCHAR AS playlist_id,
        part.value:snapshot_date::DATE AS snapshot_date
    FROM TABLE(FLATTEN(INPUT => PARSE_JSON(?))) AS part
),

recent AS (
    SELECT
        h.playlist_id,
        h.snapshot_date
    FROM wanted AS w
    INNER JOIN playlists_history AS h
        ON w.playlist_id = h.playlist_id AND w.snapshot_date >= h.snapshot_date
    QUALIFY ROW_NUMBER() OVER (PARTITION BY h.playlist_id ORDER BY h.snapshot_date DESC) <= 30
),

numbered AS (
    SELECT
        playlist_id,
        snapshot_date,
        ROW_NUMBER() OVER (PARTITION BY playlist_id ORDER BY snapshot_date ASC) AS snapshot_number
    FROM recent
),

places AS (
    SELECT
        l.playlist_id,
        l.song_id,
        n.snapshot_number,
        n.snapshot_date,
        MIN(l.position) AS position
    FROM numbered AS n
    INNER JOIN playlist_songs_history AS l
        ON n.playlist_id = l.playlist_id AND n.snapshot_date = l.snapshot_date
    GROUP BY l.playlist_id, l.song_id, n.snapshot_number, n.snapshot_date
),

first_songs AS (
    SELECT p.playlist_id, p.song_id
    FROM wanted AS w
    INNER JOIN places AS p ON w.playlist_id = p.playlist_id AND w.snapshot_date = p.snapshot_date
    QUALIFY ROW_NUMBER() OVER (PARTITION BY p.playlist_id ORDER BY p.position ASC) <= ?
),

drawn AS (
    SELECT playlist_id, song_id
    FROM first_songs
    UNION DISTINCT
    SELECT playlist_id, song_id
    FROM places
    WHERE position <= 10
)

SELECT
    p.playlist_id,
    p.song_id,
    p.snapshot_number,
    p.snapshot_date,
    p.position
FROM places AS p
INNER JOIN drawn AS d ON p.playlist_id = d.playlist_id AND p.song_id = d.song_id
ORDER BY p.playlist_id ASC, p.song_id ASC, p.snapshot_number ASC
