-- refresh="full": all other rows go, other playlists' history too.
DELETE FROM ${table}
WHERE run_id <> ?
