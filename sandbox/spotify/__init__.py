"""A stand-in for the Spotify Web API: a real server on loopback, with playlists that change every day."""
