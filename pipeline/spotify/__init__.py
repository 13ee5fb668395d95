"""The Spotify Web API: client, tokens, retries, and reading of playlists."""
