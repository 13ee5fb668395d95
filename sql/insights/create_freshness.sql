-- Age of each playlist's newest snapshot, and number of the last 30 complete days without a snapshot. SYSDATE() is in
-- UTC in every session. The age is computed from seconds, because DATEDIFF(HOUR, …) counts hour boundaries, not hours.
CREATE OR REPLACE VIEW freshness COPY GRANTS AS
WITH days AS (
    SELECT
        playlist_id,
        GREATEST(MIN(snapshot_date), DATEADD(DAY, -30, SYSDATE()::DATE)) AS first_day,
        COUNT(
            IFF(
                snapshot_date >= DATEADD(DAY, -30, SYSDATE()::DATE) AND snapshot_date < SYSDATE()::DATE,
                snapshot_date,
                NULL
            )
        ) AS day_count
    FROM playlists_history
    GROUP BY playlist_id
)

SELECT
    p.playlist_id,
    p.name AS playlist_name,
    p.snapshot_date,
    p.fetched_at,
    GREATEST(FLOOR(DATEDIFF(SECOND, p.fetched_at, SYSDATE()) / 3600), 0)::NUMBER(38, 0) AS age_hours,
    GREATEST(DATEDIFF(DAY, d.first_day, SYSDATE()::DATE), 0) - d.day_count AS missing_day_count
FROM playlists AS p
INNER JOIN days AS d ON p.playlist_id = d.playlist_id;
