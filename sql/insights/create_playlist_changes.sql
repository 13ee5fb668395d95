-- Entries that are in a snapshot but not in the previous one (entered), or only in the previous one (left). If a song
-- is listed several times, its n-th occurrences are compared. All steps group by playlist_id and snapshot_date, so
-- Snowflake can push filters on these columns down to the tables.
CREATE OR REPLACE VIEW playlist_changes COPY GRANTS AS
WITH snapshots AS (
    SELECT
        playlist_id,
        snapshot_date,
        name AS playlist_name,
        LAG(snapshot_date) OVER (PARTITION BY playlist_id ORDER BY snapshot_date ASC) AS previous_date
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

compared AS (
    SELECT
        t.playlist_id,
        t.playlist_name,
        t.snapshot_date,
        t.previous_date,
        e.song_id,
        e.occurrence,
        e.position,
        NULL AS previous_position,
        e.added_at,
        e.added_by
    FROM snapshots AS t
    INNER JOIN entries AS e ON t.playlist_id = e.playlist_id AND t.snapshot_date = e.snapshot_date
    WHERE t.previous_date IS NOT NULL
    UNION ALL
    SELECT
        t.playlist_id,
        t.playlist_name,
        t.snapshot_date,
        t.previous_date,
        e.song_id,
        e.occurrence,
        NULL AS position,
        e.position AS previous_position,
        e.added_at,
        e.added_by
    FROM snapshots AS t
    INNER JOIN entries AS e ON t.playlist_id = e.playlist_id AND t.previous_date = e.snapshot_date
),

-- An entry in both snapshots has two rows in `compared`.
changes AS (
    SELECT
        playlist_id,
        playlist_name,
        snapshot_date,
        previous_date,
        song_id,
        MIN(position) AS position,
        MIN(previous_position) AS previous_position,
        MIN(added_at) AS added_at,
        MIN(added_by) AS added_by
    FROM compared
    GROUP BY playlist_id, playlist_name, snapshot_date, previous_date, song_id, occurrence
    HAVING COUNT(*) = 1
)

SELECT
    e.playlist_id,
    e.playlist_name,
    e.snapshot_date,
    e.previous_date,
    IFF(e.position IS NULL, 'left', 'entered') AS change,
    e.song_id,
    s.name AS song_name,
    NULLIF(LISTAGG(a.name, ', ') WITHIN GROUP (ORDER BY c.artist_position), '') AS artist_names,
    e.position,
    e.previous_position,
    e.added_at,
    e.added_by
FROM changes AS e
LEFT JOIN songs_history AS s
    ON
        e.playlist_id = s.playlist_id
        AND e.song_id = s.song_id
        AND s.snapshot_date = IFF(e.position IS NULL, e.previous_date, e.snapshot_date)
LEFT JOIN song_artists_history AS c
    ON s.playlist_id = c.playlist_id AND s.snapshot_date = c.snapshot_date AND s.song_id = c.song_id
LEFT JOIN artists_history AS a
    ON c.playlist_id = a.playlist_id AND c.snapshot_date = a.snapshot_date AND c.artist_id = a.artist_id
GROUP BY
    e.playlist_id,
    e.playlist_name,
    e.snapshot_date,
    e.previous_date,
    e.song_id,
    s.name,
    e.position,
    e.previous_position,
    e.added_at,
    e.added_by;
