"""Parsing playlist ids, URIs and links; anything else is refused before any request."""

import pytest

from pipeline.errors import Code, ConfigurationError
from pipeline.spotify.links import MAX_QUOTED_CHARACTERS, playlist_id, playlist_ids, wanted_playlists

ID = "37i9dQZF1DXcBWIGoYBM5M"

NAMES = {
    "id": ID,
    "blanks at both ends": f"  {ID} ",
    "uri": f"spotify:playlist:{ID}",
    "uri of a user": f"spotify:user:some.body-1:playlist:{ID}",
    "link": f"https://open.spotify.com/playlist/{ID}",
    "shared link": f"https://open.spotify.com/playlist/{ID}?si=0123456789abcdef",
    "link with several parameters": f"https://open.spotify.com/playlist/{ID}?si=a&utm_source=copy-link",
    "link with a slash": f"https://open.spotify.com/playlist/{ID}/",
    "link with a fragment": f"https://open.spotify.com/playlist/{ID}#top",
    "link without https": f"open.spotify.com/playlist/{ID}",
    "http": f"http://open.spotify.com/playlist/{ID}",
    "link of a country": f"https://open.spotify.com/intl-de/playlist/{ID}?si=a",
    "link of a region": f"https://open.spotify.com/intl-pt-br/playlist/{ID}",
    "link of a region with digits": f"https://open.spotify.com/intl-es-419/playlist/{ID}?si=a",
    "link of a script": f"https://open.spotify.com/intl-zh-hant/playlist/{ID}",
    "link of a script and a region": f"https://open.spotify.com/intl-zh-Hant-TW/playlist/{ID}",
    "link of a language of three letters": f"https://open.spotify.com/intl-fil/playlist/{ID}",
    "link with an underscore": f"https://open.spotify.com/intl-pt_BR/playlist/{ID}",
    "embed of a country": f"https://open.spotify.com/intl-de/embed/playlist/{ID}",
    "link of the old player": f"https://play.spotify.com/playlist/{ID}",
    "link of a user in the old player": f"https://play.spotify.com/user/some.body-1/playlist/{ID}",
    "embed": f"https://open.spotify.com/embed/playlist/{ID}?utm_source=generator",
    "link of a user": f"https://open.spotify.com/user/some.body-1/playlist/{ID}",
    "host in capitals": f"HTTPS://Open.Spotify.com/playlist/{ID}",
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_the_id_is_extracted(name: str) -> None:
    assert playlist_id(name) == ID


REFUSED = {
    "empty": "",
    "blank": " ",
    "21 characters": ID[1:],
    "23 characters": f"{ID}x",
    "link of 21": f"https://open.spotify.com/playlist/{ID[1:]}",
    "link of 23": f"https://open.spotify.com/playlist/{ID}x",
    "line break after it": f"{ID}\n",
    "line break before it": f"\n{ID}",
    "tab after it": f"{ID}\t",
    "blank within": f"{ID[:11]} {ID[11:]}",
    "two ids": f"{ID} {ID}",
    "base64 characters": f"{ID[:20]}+/",
    "non-ASCII letter": f"{ID[1:]}é",
    "Kelvin sign": f"{ID[1:]}\u212a",
    "long s": f"{ID[1:]}\u017f",
    "full-width digit": f"{ID[1:]}\uff11",
    "track link": f"https://open.spotify.com/track/{ID}",
    "album link": f"https://open.spotify.com/album/{ID}",
    "track uri": f"spotify:track:{ID}",
    "no id": "https://open.spotify.com/playlist/",
    "another host": f"https://example.com/playlist/{ID}",
    "host with a suffix": f"https://open.spotify.com.example.com/playlist/{ID}",
    "Spotify's host in the path": f"https://example.com/open.spotify.com/playlist/{ID}",
    "host with a prefix": f"https://notopen.spotify.com/playlist/{ID}",
    "host as user information": f"https://open.spotify.com@example.com/playlist/{ID}",
    "another scheme": f"ftp://open.spotify.com/playlist/{ID}",
    "path with ..": f"https://open.spotify.com/playlist/../track/{ID}",
    "further path segment": f"https://open.spotify.com/playlist/{ID}/tracks",
    "empty locale": f"https://open.spotify.com/intl-/playlist/{ID}",
    "locale of two path segments": f"https://open.spotify.com/intl-de/at/playlist/{ID}",
    "short-link host with a prefix": f"https://notspotify.link/{ID}",
    "short-link host with a suffix": f"https://spotify.link.example.com/{ID}",
    "link of the API": f"https://api.spotify.com/v1/playlists/{ID}",
}


@pytest.mark.parametrize("name", REFUSED.values(), ids=REFUSED)
def test_anything_else_is_refused_and_quoted(name: str) -> None:
    with pytest.raises(ConfigurationError, match="is not a playlist: give its 22-character id") as refusal:
        playlist_id(name)
    assert repr(name) in str(refusal.value)
    assert "Nothing was requested" in str(refusal.value)


@pytest.mark.parametrize(
    "link",
    [
        "https://spotify.link/aBcDeFgHiJ",
        "spotify.link/aBcDeFgHiJ?si=a",
        " HTTP://Spotify.Link/aBcDeFgHiJ",
        f"https://spotify.link/{ID}",
        "https://spotify.app.link/aBcDeFgHiJ?_p=c",
        "https://spoti.fi/3AbCdEf",
        "https://spotify.link",
        "https://spotify.link:443/aBcDeFgHiJ",
        "//spotify.link/aBcDeFgHiJ",
    ],
)
def test_a_short_link_is_refused_with_the_advice_to_open_it(link: str) -> None:
    with pytest.raises(ConfigurationError, match=r"copy the long open\.spotify\.com link") as refusal:
        playlist_id(link)
    assert refusal.value.code == Code.PLAYLIST_INVALID
    assert repr(link) in str(refusal.value)
    assert "Nothing was requested" in str(refusal.value)


def test_ids_are_case_sensitive() -> None:
    assert playlist_ids([ID, ID.swapcase()]) == [ID, ID.swapcase()]


def test_ids_keep_their_order_without_duplicates() -> None:
    other = "sandboxMixtape00000001"
    assert playlist_ids([other, ID, f"spotify:playlist:{other}", f"{ID}"]) == [other, ID]


@pytest.mark.parametrize("word", ["mine", "Mine", " MINE "])
def test_mine_is_accepted_in_any_case_and_listed_once(word: str) -> None:
    assert wanted_playlists([ID, word, "mine", f"spotify:playlist:{ID}"]) == [ID, "mine"]


@pytest.mark.parametrize("word", ["mine\n", "mine!", "min e", "https://open.spotify.com/playlist/mine"])
def test_any_other_word_is_refused(word: str) -> None:
    with pytest.raises(ConfigurationError, match="is not a playlist"):
        wanted_playlists([word])


def test_a_long_link_is_parsed_in_linear_time() -> None:
    with pytest.raises(ConfigurationError, match="is not a playlist"):  # a quadratic pattern would take hours
        playlist_id(f"{ID}?{'#' * 1_000_000} x")


def test_a_long_text_is_truncated_in_the_message() -> None:
    with pytest.raises(ConfigurationError, match=f"^'x{{{MAX_QUOTED_CHARACTERS}}}'… is not a playlist"):
        playlist_id("x" * 5000)
