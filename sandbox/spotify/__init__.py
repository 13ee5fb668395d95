"""A stand-in for the Spotify Web API: a real server on loopback, with playlists that change every day.

`python -m sandbox.spotify` serves it. Where it deviates: only tokens and playlists are there; `fields`
and `additional_types` are ignored; nothing is counted against a quota, but `/sandbox/faults` can answer 429.
"""
