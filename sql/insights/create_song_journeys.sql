-- Chart history of each song in a playlist, in snapshots: debut, peak, longest run, re-entries, current position.
CREATE OR REPLACE VIEW song_journeys COPY GRANTS AS
WITH snapshots AS (
    SELECT
        playlist_id,
        snapshot_date,
        ROW_NUMBER() OVER (PARTITION BY playlist_id ORDER BY snapshot_date ASC) AS snapshot_number,
        COUNT(*) OVER (PARTITION BY playlist_id) AS newest_number
    FROM playlists_history
),

chart AS (
    SELECT playlist_id, snapshot_date, song_id, MIN(position) AS place
    FROM playlist_songs_history
    GROUP BY playlist_id, snapshot_date, song_id
),

numbered AS (
    SELECT
        c.playlist_id,
        c.snapshot_date,
        c.song_id,
        c.place,
        n.newest_number - n.snapshot_number AS snapshots_ago,
        MIN(c.place) OVER (PARTITION BY c.playlist_id, c.song_id) AS peak,
        n.snapshot_number
        - ROW_NUMBER() OVER (PARTITION BY c.playlist_id, c.song_id ORDER BY c.snapshot_date ASC) AS stay
    FROM chart AS c
    INNER JOIN snapshots AS n ON c.playlist_id = n.playlist_id AND c.snapshot_date = n.snapshot_date
),

runs AS (
    SELECT
        playlist_id,
        song_id,
        peak,
        MIN(snapshot_date) AS first_date,
        MAX(snapshot_date) AS last_date,
        COUNT(*) AS snapshot_count,
        MIN(IFF(place = peak, snapshot_date, NULL)) AS peak_date,
        COUNT(IFF(place = peak, 1, NULL)) AS snapshots_at_peak,
        COUNT(IFF(place = 1, 1, NULL)) AS snapshots_at_number_one,
        MIN(IFF(snapshots_ago = 0, place, NULL)) AS position,
        MIN(IFF(snapshots_ago = 1, place, NULL)) AS previous_position,
        ROW_NUMBER() OVER (
            PARTITION BY playlist_id, song_id
            ORDER BY COUNT(*) DESC, MAX(snapshot_date) DESC
        ) AS run_rank
    FROM numbered
    GROUP BY playlist_id, song_id, peak, stay
),

journeys AS (
    SELECT
        playlist_id,
        song_id,
        MIN(first_date) AS first_date,
        MAX(last_date) AS last_date,
        SUM(snapshot_count)::NUMBER(38, 0) AS snapshot_count,
        MIN(peak) AS peak_position,
        MIN(peak_date) AS peak_date,
        SUM(snapshots_at_peak)::NUMBER(38, 0) AS snapshots_at_peak,
        SUM(snapshots_at_number_one)::NUMBER(38, 0) AS snapshots_at_number_one,
        MAX(snapshot_count) AS longest_run,
        MIN(IFF(run_rank = 1, first_date, NULL)) AS longest_run_first_date,
        MIN(IFF(run_rank = 1, last_date, NULL)) AS longest_run_last_date,
        COUNT(*) - 1 AS reentry_count,
        MIN(position) AS position,
        MIN(previous_position) AS previous_position
    FROM runs
    GROUP BY playlist_id, song_id
),

credits AS (
    SELECT
        j.playlist_id,
        j.song_id,
        NULLIF(LISTAGG(a.name, ', ') WITHIN GROUP (ORDER BY c.artist_position), '') AS artist_names
    FROM journeys AS j
    INNER JOIN song_artists_history AS c
        ON j.playlist_id = c.playlist_id AND j.last_date = c.snapshot_date AND j.song_id = c.song_id
    INNER JOIN artists_history AS a
        ON c.playlist_id = a.playlist_id AND c.snapshot_date = a.snapshot_date AND c.artist_id = a.artist_id
    GROUP BY j.playlist_id, j.song_id
)

SELECT
    j.playlist_id,
    p.name AS playlist_name,
    j.song_id,
    s.name AS song_name,
    c.artist_names,
    j.first_date,
    j.last_date,
    j.snapshot_count,
    j.peak_position,
    j.peak_date,
    j.snapshots_at_peak,
    j.snapshots_at_number_one,
    j.longest_run,
    j.longest_run_first_date,
    j.longest_run_last_date,
    j.reentry_count,
    j.position IS NOT NULL AS is_listed,
    j.position,
    j.previous_position
FROM journeys AS j
INNER JOIN playlists AS p ON j.playlist_id = p.playlist_id
LEFT JOIN songs_history AS s
    ON j.playlist_id = s.playlist_id AND j.last_date = s.snapshot_date AND j.song_id = s.song_id
LEFT JOIN credits AS c ON j.playlist_id = c.playlist_id AND j.song_id = c.song_id;
