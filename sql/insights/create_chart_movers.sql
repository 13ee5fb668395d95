-- Movements between any two dates of a playlist. Filter by playlist_id, from_date and to_date.
CREATE OR REPLACE VIEW chart_movers COPY GRANTS AS
WITH chart AS (
    SELECT playlist_id, snapshot_date, song_id, MIN(position) AS place
    FROM playlist_songs_history
    GROUP BY playlist_id, snapshot_date, song_id
),

pairs AS (
    SELECT f.playlist_id, f.snapshot_date AS from_date, t.snapshot_date AS to_date
    FROM playlists_history AS f
    INNER JOIN playlists_history AS t
        ON f.playlist_id = t.playlist_id AND f.snapshot_date < t.snapshot_date
),

places AS (
    SELECT p.playlist_id, p.from_date, p.to_date, c.song_id, c.place AS from_position, NULL AS to_position
    FROM pairs AS p
    INNER JOIN chart AS c ON p.playlist_id = c.playlist_id AND p.from_date = c.snapshot_date
    UNION ALL
    SELECT p.playlist_id, p.from_date, p.to_date, c.song_id, NULL AS from_position, c.place AS to_position
    FROM pairs AS p
    INNER JOIN chart AS c ON p.playlist_id = c.playlist_id AND p.to_date = c.snapshot_date
),

moves AS (
    SELECT
        playlist_id,
        from_date,
        to_date,
        song_id,
        MAX(from_position) AS from_position,
        MAX(to_position) AS to_position
    FROM places
    GROUP BY playlist_id, from_date, to_date, song_id
)

SELECT
    m.playlist_id,
    m.from_date,
    m.to_date,
    m.song_id,
    s.name AS song_name,
    m.from_position,
    m.to_position,
    m.from_position - m.to_position AS places_up,
    CASE
        WHEN m.from_position IS NULL THEN 'new'
        WHEN m.to_position IS NULL THEN 'gone'
        WHEN m.to_position < m.from_position THEN 'up'
        WHEN m.to_position > m.from_position THEN 'down'
        ELSE 'same'
    END AS movement
FROM moves AS m
INNER JOIN songs_history AS s
    ON
        m.playlist_id = s.playlist_id
        AND m.song_id = s.song_id
        AND s.snapshot_date = IFF(m.to_position IS NULL, m.from_date, m.to_date);
