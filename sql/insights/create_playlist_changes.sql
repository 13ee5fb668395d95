-- Entries that a snapshot has and the one before has not, or the other way round. The n-th occurrence of a song is the
-- same entry in both. An entry's neighbours in time are found in one pass, without joining the history to itself.
CREATE OR REPLACE VIEW playlist_changes COPY GRANTS AS
WITH snapshots AS (
    SELECT
        playlist_id,
        snapshot_date,
        name,
        LAG(snapshot_date) OVER (PARTITION BY playlist_id ORDER BY snapshot_date ASC) AS previous_date,
        LEAD(snapshot_date) OVER (PARTITION BY playlist_id ORDER BY snapshot_date ASC) AS next_date,
        LEAD(name) OVER (PARTITION BY playlist_id ORDER BY snapshot_date ASC) AS next_name
    FROM playlists_history
),

entries AS (
    SELECT
        playlist_id,
        snapshot_date,
        position,
        song_id,
        added_at,
        added_by,
        ROW_NUMBER() OVER (PARTITION BY playlist_id, snapshot_date, song_id ORDER BY position ASC) AS occurrence
    FROM playlist_songs_history
),

neighbours AS (
    SELECT
        playlist_id,
        snapshot_date,
        position,
        song_id,
        added_at,
        added_by,
        LAG(snapshot_date) OVER (
            PARTITION BY playlist_id, song_id, occurrence ORDER BY snapshot_date ASC
        ) AS listed_before,
        LEAD(snapshot_date) OVER (
            PARTITION BY playlist_id, song_id, occurrence ORDER BY snapshot_date ASC
        ) AS listed_after
    FROM entries
),

changes AS (
    SELECT
        e.playlist_id,
        t.name AS playlist_name,
        t.snapshot_date,
        t.previous_date,
        'entered' AS change,
        e.snapshot_date AS listed_on,
        e.song_id,
        e.position,
        NULL AS previous_position,
        e.added_at,
        e.added_by
    FROM neighbours AS e
    INNER JOIN snapshots AS t ON e.playlist_id = t.playlist_id AND e.snapshot_date = t.snapshot_date
    WHERE t.previous_date IS NOT NULL AND e.listed_before IS DISTINCT FROM t.previous_date
    UNION ALL
    SELECT
        e.playlist_id,
        t.next_name AS playlist_name,
        t.next_date AS snapshot_date,
        t.snapshot_date AS previous_date,
        'left' AS change,
        e.snapshot_date AS listed_on,
        e.song_id,
        NULL AS position,
        e.position AS previous_position,
        e.added_at,
        e.added_by
    FROM neighbours AS e
    INNER JOIN snapshots AS t ON e.playlist_id = t.playlist_id AND e.snapshot_date = t.snapshot_date
    WHERE t.next_date IS NOT NULL AND e.listed_after IS DISTINCT FROM t.next_date
)

-- Names are joined to the changes only, which are few.
SELECT
    e.playlist_id,
    e.playlist_name,
    e.snapshot_date,
    e.previous_date,
    e.change,
    e.song_id,
    s.name AS song_name,
    NULLIF(LISTAGG(a.name, ', ') WITHIN GROUP (ORDER BY c.artist_position), '') AS artist_names,
    e.position,
    e.previous_position,
    e.added_at,
    e.added_by
FROM changes AS e
LEFT JOIN songs_history AS s
    ON e.playlist_id = s.playlist_id AND e.listed_on = s.snapshot_date AND e.song_id = s.song_id
LEFT JOIN song_artists_history AS c
    ON e.playlist_id = c.playlist_id AND e.listed_on = c.snapshot_date AND e.song_id = c.song_id
LEFT JOIN artists_history AS a
    ON c.playlist_id = a.playlist_id AND c.snapshot_date = a.snapshot_date AND c.artist_id = a.artist_id
GROUP BY
    e.playlist_id,
    e.playlist_name,
    e.snapshot_date,
    e.previous_date,
    e.change,
    e.song_id,
    s.name,
    e.position,
    e.previous_position,
    e.added_at,
    e.added_by;
