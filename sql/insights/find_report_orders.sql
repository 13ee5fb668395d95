-- In how many of the last 30 snapshots of playlists more than one song was overtaken since the snapshot before: many in
-- a chart, hardly any in a list made by hand, where one song put on top overtakes the others as one. One JSON list of
-- objects: playlist_id, snapshot_date.
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
        MIN(l.position) AS position
    FROM numbered AS n
    INNER JOIN playlist_songs_history AS l
        ON n.playlist_id = l.playlist_id AND n.snapshot_date = l.snapshot_date
    GROUP BY l.playlist_id, l.song_id, n.snapshot_number
),

-- The song that stands before each one now: is it one that stood behind it?
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

reorderings AS (
    SELECT playlist_id, COUNT(*) AS reordered_count
    FROM reordered
    GROUP BY playlist_id
)

SELECT
    n.playlist_id,
    COUNT(*) AS snapshot_count,
    COALESCE(MAX(r.reordered_count), 0) AS reordered_count,
    MIN(n.snapshot_date) AS first_date,
    MAX(n.snapshot_date) AS last_date
FROM numbered AS n
LEFT JOIN reorderings AS r ON n.playlist_id = r.playlist_id
GROUP BY n.playlist_id
ORDER BY n.playlist_id ASC
