"""Stand-in for Spotify: a server on loopback with synthetic playlists that change from day to day.

`python -m sandbox.spotify` serves it. It imitates the accounts service (/authorize, /api/token) and the part
of the Web API that the pipeline uses: /v1/me, /v1/me/playlists, playlists and their entries, artists and
albums. settings.py defines its behaviour (class of app, shape of responses, limits, lifetimes of tokens), and
faults.py the faults that can be scripted. tests/sandbox/spotify/test_openapi.py validates responses with
Spotify's OpenAPI description.

Deviations from Spotify:
- All other endpoints respond 404.
- The query parameters `fields`, `market` and `additional_types` are ignored.
- /authorize shows no page; the setting `user_agrees` decides whether the user consents.
- There is one app and one user, with fixed credentials and one refresh token (accounts.py).
- Spotify does not publish its limits. Here they are off until the settings `window` and `quota` are set.
- Playlists, songs, artists and albums are invented. Followers, popularity and genres of artists and albums
  are random values that depend only on the id.
- Recorded responses (recordings.py) are the same on every date and for every class of app; a recorded page
  without its playlist gets an invented playlist object.
"""
