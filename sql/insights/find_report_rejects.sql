-- Number of rejects by reason; the ten most frequent reasons.
-- Value: a JSON list of objects with playlist_id and snapshot_date.
WITH wanted AS (
    SELECT
        part.value:playlist_id::VARCHAR AS playlist_id,
        part.value:snapshot_date::DATE AS snapshot_date
    FROM TABLE(FLATTEN(INPUT => PARSE_JSON(?))) AS part
),

reasons AS (
    SELECT r.playlist_id, r.reason, COUNT(*) AS entry_count, MAX(h.item_count) AS item_count
    FROM wanted AS w
    INNER JOIN playlists_history AS h
        ON w.playlist_id = h.playlist_id AND w.snapshot_date = h.snapshot_date
    INNER JOIN rejects_history AS r
        ON h.playlist_id = r.playlist_id AND h.snapshot_date = r.snapshot_date
    GROUP BY r.playlist_id, r.reason
)

SELECT playlist_id, reason AS label, entry_count, 100 * entry_count / item_count AS percent
FROM reasons
QUALIFY ROW_NUMBER() OVER (PARTITION BY playlist_id ORDER BY entry_count DESC, reason ASC) <= 10
ORDER BY playlist_id ASC, entry_count DESC, reason ASC
