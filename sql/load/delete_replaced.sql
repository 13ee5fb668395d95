-- In the partitions of this run only the winner stays; `winners` is find_winners.sql, whose values these are.
DELETE FROM ${table}
USING (
    ${winners}
) AS winner
WHERE ${table}.playlist_id = winner.playlist_id
    AND ${table}.snapshot_date = winner.snapshot_date
    AND ${table}.run_id <> winner.run_id
