"""A stand-in for the Spotify Web API: a real server on loopback, with playlists that change every day.

`python -m sandbox.spotify` serves it. `settings` lists how it can behave, `faults` what can go wrong. Where
it deviates: only consent, tokens, playlists, artists, albums and the user are there; `fields`, `market` and
`additional_types` are ignored; the user's consent needs no page; real limits are not published.
"""
