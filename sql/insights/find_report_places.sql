-- Positions in the last 30 snapshots, for the line chart of playlists that behave like a chart: of the songs that are
-- first now, and of those that were in the top ten.
-- Values: a JSON list of objects with playlist_id and snapshot_date; the number of first songs per playlist.
--
-- A playlist behaves like a chart if, in a third of its snapshots or more, several songs were overtaken since the
-- previous snapshot. In a playlist edited by hand this is rare: a song that is put on top overtakes a block of songs.
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

-- For each song, the song directly above it, and whether that song was below it in the previous snapshot.
overtakings AS (
    SELECT
        now.playlist_id,
        now.snapshot_number,
        IFF(
            before.position < LAG(before.position) OVER (
                PARTITION BY now.playlist_id, now.snapshot_number
                ORDER BY now.position ASC
            ),
            1,
            0
        ) AS is_overtaken
    FROM places AS now
    INNER JOIN places AS before
        ON
            now.playlist_id = before.playlist_id
            AND now.song_id = before.song_id
            AND now.snapshot_number = before.snapshot_number + 1
),

reordered AS (
    SELECT playlist_id, snapshot_number
    FROM overtakings
    GROUP BY playlist_id, snapshot_number
    HAVING SUM(is_overtaken) > 1
),

snapshots AS (
    SELECT playlist_id, COUNT(*) AS snapshot_count, MIN(snapshot_date) AS first_date
    FROM numbered
    GROUP BY playlist_id
),

-- A line chart needs more than two snapshots.
charts AS (
    SELECT n.playlist_id, n.snapshot_count, n.first_date
    FROM snapshots AS n
    INNER JOIN reordered AS r ON n.playlist_id = r.playlist_id
    GROUP BY n.playlist_id, n.snapshot_count, n.first_date
    HAVING n.snapshot_count >= 3 AND 3 * COUNT(*) >= n.snapshot_count - 1
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
    p.position,
    c.snapshot_count,
    c.first_date
FROM places AS p
INNER JOIN charts AS c ON p.playlist_id = c.playlist_id
INNER JOIN drawn AS d ON p.playlist_id = d.playlist_id AND p.song_id = d.song_id
ORDER BY p.playlist_id ASC, p.song_id ASC, p.snapshot_number ASC
