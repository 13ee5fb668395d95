-- Keeps only the winning snapshot in each partition of this run. `winners`: find_winners.sql, whose values are bound.
DELETE FROM ${table}
USING (
    ${winners}
) AS winner
WHERE ${table}.playlist_id = winner.playlist_id
    AND ${table}.snapshot_date = winner.snapshot_date
    AND ${table}.run_id <> winner.run_id
