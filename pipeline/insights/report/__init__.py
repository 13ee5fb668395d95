"""The report: an HTML page about playlists, without scripts, requests or a login."""
