"""The Spotify Web API: links, client, playlists."""
