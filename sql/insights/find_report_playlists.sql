-- Figures of playlists, each from its newest snapshot on or before a date.
-- Values: a JSON list of playlist ids (empty: all playlists); the date (9999-12-31: the newest date).
--
-- A playlist is stale if its newest snapshot is more than a day older than the newest of all. A stale playlist has no
-- previous snapshot here: its changes are old, and must not appear as changes of the report's date.
WITH wanted AS (
    SELECT part.value::VARCHAR AS playlist_id
    FROM TABLE(FLATTEN(INPUT => PARSE_JSON(?))) AS part
),

requested AS (
    SELECT TO_DATE(?) AS last_date
),

dated AS (
    SELECT
        h.playlist_id,
        h.name AS playlist_name,
        h.owner_name,
        h.snapshot_date,
        h.fetched_at,
        h.item_count,
        LAG(h.snapshot_date) OVER (PARTITION BY h.playlist_id ORDER BY h.snapshot_date ASC) AS earlier_date,
        MIN(h.snapshot_date) OVER (PARTITION BY h.playlist_id) AS first_date,
        COUNT(*) OVER (PARTITION BY h.playlist_id) AS snapshot_count,
        h.snapshot_date < DATEADD(DAY, -1, MAX(h.snapshot_date) OVER ()) AS is_stale,
        IFF(a.last_date = '9999-12-31'::DATE, MAX(h.snapshot_date) OVER (), a.last_date) AS report_date
    FROM playlists_history AS h
    CROSS JOIN requested AS a
    WHERE
        h.snapshot_date <= a.last_date
        AND (
            h.playlist_id IN (SELECT w.playlist_id FROM wanted AS w)
            OR NOT EXISTS (SELECT 1 FROM wanted)
        )
),

newest AS (
    SELECT
        *,
        IFF(is_stale, NULL, earlier_date) AS previous_date,
        GREATEST(first_date, DATEADD(DAY, -30, report_date)) AS first_day
    FROM dated
    QUALIFY ROW_NUMBER() OVER (PARTITION BY playlist_id ORDER BY snapshot_date DESC) = 1
),

-- Of the 30 days before the report date, as in the view freshness.
days AS (
    SELECT playlist_id, COUNT(*) AS day_count
    FROM dated
    WHERE snapshot_date >= DATEADD(DAY, -30, report_date) AND snapshot_date < report_date
    GROUP BY playlist_id
),

listings AS (
    SELECT playlist_id, snapshot_date AS listed_on, 1 AS now, 0 AS before
    FROM newest
    WHERE previous_date IS NOT NULL
    UNION ALL
    SELECT playlist_id, previous_date AS listed_on, 0 AS now, 1 AS before
    FROM newest
    WHERE previous_date IS NOT NULL
),

-- A song that is listed twice counts twice.
songs_counted AS (
    SELECT d.playlist_id, l.song_id, SUM(d.now) AS now_count, SUM(d.before) AS before_count
    FROM listings AS d
    INNER JOIN playlist_songs_history AS l ON d.playlist_id = l.playlist_id AND d.listed_on = l.snapshot_date
    GROUP BY d.playlist_id, l.song_id
),

changes AS (
    SELECT
        playlist_id,
        SUM(GREATEST(now_count - before_count, 0)) AS entered_count,
        SUM(GREATEST(before_count - now_count, 0)) AS left_count
    FROM songs_counted
    GROUP BY playlist_id
),

reasons_counted AS (
    SELECT d.playlist_id, r.reason, SUM(d.now) AS now_count, SUM(d.before) AS before_count
    FROM listings AS d
    INNER JOIN rejects_history AS r ON d.playlist_id = r.playlist_id AND d.listed_on = r.snapshot_date
    GROUP BY d.playlist_id, r.reason
),

rejections AS (
    SELECT playlist_id, SUM(GREATEST(now_count - before_count, 0)) AS rejected_count
    FROM reasons_counted
    GROUP BY playlist_id
),

contents AS (
    SELECT
        n.playlist_id,
        COUNT(*) AS song_count,
        SUM(s.duration_ms) AS duration_ms,
        100 * SUM(IFF(s.is_explicit, 1, 0)) / NULLIF(COUNT(s.is_explicit), 0) AS explicit_percent
    FROM newest AS n
    INNER JOIN playlist_songs_history AS l
        ON n.playlist_id = l.playlist_id AND n.snapshot_date = l.snapshot_date
    INNER JOIN songs_history AS s
        ON l.playlist_id = s.playlist_id AND l.snapshot_date = s.snapshot_date AND l.song_id = s.song_id
    GROUP BY n.playlist_id
)

SELECT
    n.playlist_id,
    n.playlist_name,
    n.owner_name,
    n.report_date,
    n.snapshot_date,
    n.previous_date,
    n.is_stale,
    n.fetched_at,
    n.item_count,
    COALESCE(c.song_count, 0) AS song_count,
    COALESCE(g.entered_count, 0) AS entered_count,
    COALESCE(g.left_count, 0) AS left_count,
    COALESCE(r.rejected_count, 0) AS rejected_count,
    n.snapshot_count,
    GREATEST(DATEDIFF(DAY, n.first_day, n.report_date), 0) AS day_count,
    GREATEST(DATEDIFF(DAY, n.first_day, n.report_date), 0) - COALESCE(d.day_count, 0) AS missing_day_count,
    c.duration_ms,
    c.explicit_percent
FROM newest AS n
LEFT JOIN days AS d ON n.playlist_id = d.playlist_id
LEFT JOIN changes AS g ON n.playlist_id = g.playlist_id
LEFT JOIN rejections AS r ON n.playlist_id = r.playlist_id
LEFT JOIN contents AS c ON n.playlist_id = c.playlist_id
ORDER BY n.playlist_name ASC, n.playlist_id ASC
