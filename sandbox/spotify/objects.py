"""Objects of the Web API with invented values."""

from typing import Any

from sandbox.spotify.seeds import hexadecimal

Json = dict[str, Any]
API_URL = "https://api.spotify.com/v1"
ME = "sandbox-listener"  # id of the sandbox's user

MARKETS = (
    "AR", "AU", "AT", "BE", "BO", "BR", "CA", "CH", "CL", "CO", "CZ", "DE", "DK", "EC", "EE", "EG", "ES",
    "FI", "FR", "GB", "GR", "HU", "ID", "IE", "IN", "IS", "IT", "JP", "KE", "KR", "LV", "MX", "NG", "NL",
    "NO", "NZ", "PE", "PL", "PT", "SE",
)  # fmt: skip


def identity(kind: str, spotify_id: str) -> Json:
    """Returns the keys that identify an object."""
    return {
        "external_urls": {"spotify": f"https://open.spotify.com/{kind}/{spotify_id}"},
        "href": f"{API_URL}/{kind}s/{spotify_id}",
        "id": spotify_id,
        "type": kind,
        "uri": f"spotify:{kind}:{spotify_id}",
    }


def null_identity(kind: str) -> Json:
    """Returns the same keys with null ids, as in local files and tombstones."""
    return {"external_urls": {}, "href": None, "id": None, "type": kind, "uri": None}


def images(*key: object) -> list[Json]:
    """Returns the URLs of an image in three sizes."""
    sizes = ((640, "ab67616d0000b273"), (300, "ab67616d00001e02"), (64, "ab67616d00004851"))
    return [
        {"url": f"https://i.scdn.co/image/{prefix}{hexadecimal(*key)}", "width": size, "height": size}
        for size, prefix in sizes
    ]


def markets(number: int) -> list[str]:
    """Returns 20 market codes."""
    start = number % 20
    return list(MARKETS[start : start + 20])


def album(spotify_id: str, name: str, artists: list[Json], **further: object) -> Json:
    """Returns the simplified album of a track; `further` replaces and adds keys."""
    return {
        "available_markets": markets(len(name)),
        "album_type": "album",
        "images": images(spotify_id),
        "name": name,
        "release_date": "2024-02-29",
        "release_date_precision": "day",
        "artists": artists,
        "total_tracks": 12,
        **identity("album", spotify_id),
        **further,
    }


def track(spotify_id: str, name: str, on: Json, artists: list[Json], **further: object) -> Json:
    """Returns a track; `further` replaces and adds keys."""
    return {
        "preview_url": None,
        "available_markets": on["available_markets"],
        "explicit": False,
        "episode": False,
        "track": True,
        "album": on,
        "artists": artists,
        "disc_number": 1,
        "track_number": 1,
        "duration_ms": 180_000,
        "external_ids": {"isrc": f"QZSBX{int(hexadecimal(spotify_id), 16) % 10**7:07}"},
        "name": name,
        "popularity": 30,
        "is_local": False,
        **identity("track", spotify_id),
        **further,
    }


def episode(spotify_id: str, name: str, show: str) -> Json:
    """Returns a podcast episode, which has no album and no artists."""
    return {
        "audio_preview_url": None,
        "available_markets": markets(3),
        "description": "Two people, one microphone.",
        "html_description": "<p>Two people, one microphone.</p>",
        "duration_ms": 2_071_013,
        "episode": True,
        "track": False,
        "explicit": True,
        "images": images(spotify_id),
        "is_externally_hosted": False,
        "is_playable": True,
        "language": "en",
        "languages": ["en"],
        "name": name,
        "release_date": "2025-11-28",
        "release_date_precision": "day",
        "show": {
            "available_markets": markets(3),
            "copyrights": [],
            "description": "",
            "explicit": True,
            "html_description": "",
            "images": images(show),
            "is_externally_hosted": False,
            "languages": ["en"],
            "media_type": "audio",
            "name": "Kettle Talk",
            "publisher": "Sandbox Radio",
            "total_episodes": 77,
            **identity("show", show),
        },
        **identity("episode", spotify_id),
    }


def user(user_id: str) -> Json:
    """Returns the user object of `added_by`; Spotify's editors have the id ""."""
    return identity("user", user_id)


def entry(item: Json | None, added_at: str | None, added_by: Json | None) -> Json:
    """Returns an entry of a playlist, with the song or episode under `item`."""
    return {
        "added_at": added_at,
        "added_by": added_by,
        "is_local": bool(item and item.get("is_local")),
        "primary_color": None,
        "item": item,
        "video_thumbnail": {"url": None},
    }
