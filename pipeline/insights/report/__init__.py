"""The report: a page about playlists that needs no script, no request and no account to be read."""
