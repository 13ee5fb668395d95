-- Entries of snapshots and of each playlist's previous snapshot, to be compared; rejects with their reason.
-- Values: a JSON list of objects with playlist_id and snapshot_date; the maximum number of entries.
-- Playlists without a previous snapshot are omitted. The largest playlists, which would exceed the maximum, have one
-- row without entries.
WITH wanted AS (
    SELECT
        part.value:playlist_id::VARCHAR AS playlist_id,
        part.value:snapshot_date::DATE AS snapshot_date
    FROM TABLE(FLATTEN(INPUT => PARSE_JSON(?))) AS part
),

pairs AS (
    SELECT
        later.playlist_id,
        later.name AS playlist_name,
        later.snapshot_date,
        earlier.snapshot_date AS previous_date,
        later.item_count + earlier.item_count AS entry_count
    FROM wanted AS w
    INNER JOIN playlists_history AS later
        ON w.playlist_id = later.playlist_id AND w.snapshot_date = later.snapshot_date
    INNER JOIN playlists_history AS earlier
        ON later.playlist_id = earlier.playlist_id AND later.snapshot_date > earlier.snapshot_date
    QUALIFY ROW_NUMBER() OVER (PARTITION BY later.playlist_id ORDER BY earlier.snapshot_date DESC) = 1
),

compared AS (
    SELECT
        playlist_id,
        playlist_name,
        snapshot_date,
        previous_date,
        SUM(entry_count) OVER (
            ORDER BY entry_count ASC, playlist_id ASC ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) <= ? AS is_compared
    FROM pairs
),

listings AS (
    SELECT playlist_id, snapshot_date AS listed_on
    FROM compared
    WHERE is_compared
    UNION ALL
    SELECT playlist_id, previous_date AS listed_on
    FROM compared
    WHERE is_compared
),

-- An equality join with the two dates comes first, so that Snowflake prunes the rest of the history.
entries AS (
    SELECT
        l.playlist_id,
        l.snapshot_date,
        l.position,
        l.song_id,
        s.name AS song_name,
        a.name AS artist_name,
        l.added_by,
        NULL AS reason
    FROM listings AS d
    INNER JOIN playlist_songs_history AS l ON d.playlist_id = l.playlist_id AND d.listed_on = l.snapshot_date
    INNER JOIN songs_history AS s
        ON l.playlist_id = s.playlist_id AND l.snapshot_date = s.snapshot_date AND l.song_id = s.song_id
    INNER JOIN artists_history AS a
        ON s.playlist_id = a.playlist_id AND s.snapshot_date = a.snapshot_date AND s.artist_id = a.artist_id
    UNION ALL
    SELECT
        r.playlist_id,
        r.snapshot_date,
        r.position,
        NULL AS song_id,
        NULL AS song_name,
        NULL AS artist_name,
        NULL AS added_by,
        r.reason
    FROM listings AS d
    INNER JOIN rejects_history AS r ON d.playlist_id = r.playlist_id AND d.listed_on = r.snapshot_date
)

SELECT
    c.playlist_id,
    c.playlist_name,
    c.snapshot_date,
    c.previous_date,
    c.is_compared,
    e.snapshot_date = c.snapshot_date AS is_later,
    e.position,
    e.song_id,
    e.song_name,
    e.artist_name,
    e.added_by,
    e.reason
FROM compared AS c
LEFT JOIN entries AS e ON c.playlist_id = e.playlist_id
ORDER BY c.playlist_id ASC, e.position ASC
