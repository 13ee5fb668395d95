"""Two independent clients, spotipy and tekore, read from the stand-in."""

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import spotipy
import tekore  # type: ignore[import-untyped]

from sandbox.spotify.accounts import CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN
from sandbox.spotify.catalogue import CHARTS, FOREIGN, MIXTAPE, MIXTAPE_LENGTH, PLAYLISTS
from tests.spotify_standin import REDIRECT_URI, Standin, Start


@pytest.fixture
def standin(shared: Start) -> Standin:
    return shared()


@pytest.fixture
def tekore_credentials(standin: Standin, monkeypatch: pytest.MonkeyPatch) -> tekore.Credentials:
    """Credentials of tekore, whose addresses are constants of two modules."""
    monkeypatch.setattr("tekore._client.base.prefix", f"{standin.url}/v1/")
    monkeypatch.setattr("tekore._auth.expiring.client.OAUTH_AUTHORIZE_URL", f"{standin.url}/authorize")
    monkeypatch.setattr("tekore._auth.expiring.client.OAUTH_TOKEN_URL", f"{standin.url}/api/token")
    return tekore.Credentials(CLIENT_ID, CLIENT_SECRET, REDIRECT_URI)


@pytest.fixture
def client(tekore_credentials: tekore.Credentials) -> Iterator[tekore.Spotify]:
    client = tekore.Spotify(tekore_credentials.refresh_user_token(REFRESH_TOKEN))
    yield client
    client.close()


def test_tekore_reads_a_chart_into_its_own_types(client: tekore.Spotify, standin: Standin) -> None:
    chart = client.playlist(CHARTS[0])
    assert isinstance(chart, tekore.model.FullPlaylist)
    assert (chart.name, chart.items.total) == (PLAYLISTS[CHARTS[0]], 50)
    page = client.playlist_items(CHARTS[0])
    assert isinstance(page, tekore.model.PlaylistTrackPaging)
    names = [entry.item.name for entry in page.items if entry.item]
    expected = standin.get(f"/v1/playlists/{CHARTS[0]}/items?limit=50", standin.bearer()).json()
    assert names == [entry["item"]["name"] for entry in expected["items"]]
    assert len(names) == 50


def test_tekore_reads_every_entry_of_a_long_playlist(client: tekore.Spotify) -> None:
    entries: list[dict[str, object]] = []
    page = {"total": 1}
    while (
        len(entries) < page["total"]
    ):  # as dictionaries: tekore's types refuse entries that real playlists contain
        page = client.playlist_items(MIXTAPE, as_tracks=True, offset=len(entries))
        entries += page["items"]
    assert len(entries) == MIXTAPE_LENGTH
    assert len({entry["added_at"] for entry in entries}) > 100


def test_tekore_follows_next(client: tekore.Spotify) -> None:
    first = client.playlist_items(FOREIGN, limit=15)
    assert isinstance(first, tekore.model.PlaylistTrackPaging)
    pages = list(client.all_pages(first))
    assert [len(page.items) for page in pages] == [15, 15, 10]
    assert pages[-1].next is None


def test_tekore_reads_artists_and_albums(client: tekore.Spotify) -> None:
    page = client.playlist_items(CHARTS[0])
    songs = [entry.item for entry in page.items]
    artists = list(dict.fromkeys(song.artists[0].id for song in songs))
    with client.chunked(on=True):
        found = client.artists(artists)
        albums = client.albums([song.album.id for song in songs])
    assert [artist.id for artist in found] == artists
    assert max(artist.followers.total for artist in found) > 0
    assert [album.name for album in albums] == [song.album.name for song in songs]
    assert client.artist(artists[0]) == found[0]
    assert client.album(albums[0].id) == albums[0]


def test_tekore_completes_the_consent_of_a_user(tekore_credentials: tekore.Credentials) -> None:
    url = tekore_credentials.user_authorisation_url(scope="playlist-read-private", state="mine")
    location = requests.get(url, allow_redirects=False, timeout=5).headers["Location"]
    query = parse_qs(urlsplit(location).query)
    assert query["state"] == ["mine"]
    token = tekore_credentials.request_user_token(query["code"][0])
    assert str(token.scope) == "playlist-read-private"
    assert tekore_credentials.refresh_user_token(token.refresh_token).access_token != token.access_token


def test_tekore_raises_its_errors_for_refusals(
    client: tekore.Spotify, tekore_credentials: tekore.Credentials
) -> None:
    with pytest.raises(tekore.NotFound):
        client.playlist("4uLU6hMCjMI75M1A2tKUQC")
    with pytest.raises(tekore.BadRequest, match="Invalid refresh token"):
        tekore_credentials.refresh_user_token("made up")


def test_spotipy_reads_a_playlist_and_all_its_entries(standin: Standin) -> None:
    client = standin.user_client()
    assert client.playlist(MIXTAPE)["name"] == PLAYLISTS[MIXTAPE]
    page = client.playlist_items(MIXTAPE, limit=50)
    entries = list(page["items"])
    while page := client.next(page):
        entries += page["items"]
    assert len(entries) == MIXTAPE_LENGTH


def test_spotipy_reads_artists_and_albums(standin: Standin) -> None:
    client = standin.app_client()
    songs = [entry["item"] for entry in client.playlist(CHARTS[0])["items"]["items"]]
    artists = list(dict.fromkeys(song["artists"][0]["id"] for song in songs))
    albums = [song["album"]["id"] for song in songs][:20]
    assert [artist["id"] for artist in client.artists(artists)["artists"]] == artists
    assert [album["id"] for album in client.albums(albums)["albums"]] == albums
    assert client.artist(artists[0])["type"] == "artist"
    assert client.album(albums[0])["tracks"]["items"]


def test_spotipy_reads_the_retry_after_header(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    client = start(window=1).app_client()
    client.playlist(CHARTS[0])
    with pytest.raises(spotipy.SpotifyException) as refused:
        client.playlist(CHARTS[0])
    assert refused.value.http_status == 429
    assert "after: 30 s" in caplog.text
