"""Validates the stand-in's responses with Spotify's OpenAPI description, if the file is available.

Real responses differ from the description, and the stand-in imitates that; the differences are listed here.
"""

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest
from openapi_schema_validator import OAS30Validator

from sandbox.spotify.catalogue import CHARTS, EMPTY, FOREIGN, HUGE, MIXTAPE, MIXTAPE_LENGTH
from sandbox.spotify.oddities import ODDITIES
from sandbox.spotify.settings import AppClass
from tests.spotify_standin import Standin, Start

DESCRIPTION = Path(__file__).parents[4] / "shared" / "data" / "openapi" / "spotify-web-api.yml"
pytestmark = pytest.mark.skipif(
    not DESCRIPTION.is_file(), reason="the OpenAPI description is not in ../shared/data"
)
# oddities in real playlists that the description does not allow
UNDESCRIBED = {
    "null item",
    "tombstone",
    "local file",
    "added_at null",
    "added_by null",
    "precision null",
}
Errors = Callable[..., list[str]]


def without_discriminators(value: Any) -> Any:  # any JSON value
    """Removes discriminators: they refer to schemas by type, e.g. `track`, but the name is `TrackObject`."""
    if isinstance(value, dict):
        return {key: without_discriminators(inner) for key, inner in value.items() if key != "discriminator"}
    return [without_discriminators(inner) for inner in value] if isinstance(value, list) else value


@pytest.fixture(scope="session")
def errors() -> Errors:
    """Returns a function that validates a body with the schema of a path and a status."""
    yaml = importlib.import_module("yaml")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    description = without_discriminators(yaml.load(DESCRIPTION.read_text(), loader))

    def check(body: object, path: str, status: int = 200, part: str = "") -> list[str]:
        response = description["paths"][path]["get"]["responses"][str(status)]["$ref"]
        reference = part or f"{response}/content/application~1json/schema"
        schema = {"components": description["components"], "allOf": [{"$ref": reference}]}
        found: Any = OAS30Validator(schema).iter_errors(body)
        return sorted({f"{error.json_path}: {error.message[:200]}" for error in found})

    return check


@pytest.fixture
def standin(shared: Start) -> Standin:
    return shared()


def get(standin: Standin, path: str, status: int = 200) -> Any:  # any JSON value
    response = standin.get(f"/v1/{path}", standin.bearer())
    assert response.status_code == status
    return response.json()


PAGES = "/playlists/{playlist_id}/items"


@pytest.mark.parametrize("playlist_id", [CHARTS[0], EMPTY, FOREIGN])
def test_playlist_is_valid(errors: Errors, standin: Standin, playlist_id: str) -> None:
    head = get(standin, f"playlists/{playlist_id}")
    assert {"items", "tracks"} <= set(head)
    assert errors(head, "/playlists/{playlist_id}") == []


@pytest.mark.parametrize("path", ["items", "tracks"])
def test_page_is_valid(errors: Errors, standin: Standin, path: str) -> None:
    page = get(standin, f"playlists/{CHARTS[1]}/{path}?limit=50")
    assert len(page["items"]) == 50
    assert errors(page, f"/playlists/{{playlist_id}}/{path}") == []


def test_page_in_the_middle_is_valid(errors: Errors, standin: Standin) -> None:
    page = get(standin, f"playlists/{HUGE}/items?limit=5&offset=5000")
    assert page["next"]
    assert page["previous"]
    assert errors(page, PAGES) == []


def test_only_the_listed_oddities_are_invalid(errors: Errors, standin: Standin) -> None:
    distance = MIXTAPE_LENGTH // len(ODDITIES)
    undescribed = set()
    for number, name in enumerate(ODDITIES):
        offset = distance // 2 + number * distance
        (entry,) = get(standin, f"playlists/{MIXTAPE}/items?limit=1&offset={offset}")["items"]
        if errors(entry, PAGES, part="#/components/schemas/PlaylistTrackObject"):
            undescribed.add(name)
    assert undescribed == UNDESCRIBED


def test_artists_and_albums_are_valid(errors: Errors, standin: Standin) -> None:
    songs = [entry["item"] for entry in get(standin, f"playlists/{CHARTS[0]}/items?limit=20")["items"]]
    artists, albums = ({one["id"] for song in songs for one in found(song)} for found in PARTS)
    for kind, wanted in (("artists", artists), ("albums", albums)):
        batch = get(standin, f"{kind}?ids={','.join(wanted)}")
        assert len(batch[kind]) == len(wanted)
        assert errors(batch, f"/{kind}") == []
        assert errors(get(standin, f"{kind}/{min(wanted)}"), f"/{kind}/{{id}}") == []


@pytest.mark.parametrize("app_class", get_args(AppClass))
def test_list_of_playlists_is_valid_except_for_nulls(
    errors: Errors, shared: Start, app_class: AppClass
) -> None:
    """Real responses contain null for playlists that the app may not see, and for a missing description."""
    standin = shared(app_class=app_class)
    response = standin.get("/v1/me/playlists?limit=2&offset=4", standin.bearer(user=True)).json()
    assert response["previous"]
    assert errors(response, "/me/playlists") == []
    rest = standin.get("/v1/me/playlists?offset=6", standin.bearer(user=True)).json()
    undescribed = {error.partition(":")[0] for error in errors(rest, "/me/playlists")}
    hidden = set() if app_class == "extended_old" else {"$.items[1]"}
    assert undescribed == {"$.items[0].description"} | hidden


def test_user_is_valid(errors: Errors, shared: Start) -> None:
    standin = shared()
    assert errors(standin.get("/v1/me", standin.bearer(user=True)).json(), "/me") == []


PARTS: tuple[Callable[[Any], list[Any]], ...] = (lambda song: song["artists"], lambda song: [song["album"]])


def test_null_for_an_unknown_id_in_a_batch_is_invalid(errors: Errors, standin: Standin) -> None:
    batch = get(standin, "artists?ids=4uLU6hMCjMI75M1A2tKUQC")
    assert batch == {"artists": [None]}
    assert "$.artists[0]: None for not nullable" in errors(batch, "/artists")


def test_albums_for_restricted_apps_lack_required_fields(errors: Errors, shared: Start) -> None:
    standin = shared(app_class="restricted")
    album = get(shared(), f"playlists/{CHARTS[0]}/items?limit=1")["items"][0]["item"]["album"]["id"]
    missing = [error.split("'")[1] for error in errors(get(standin, f"albums/{album}"), "/albums/{id}")]
    assert sorted(missing) == ["available_markets", "label", "popularity"]


def test_refusals_are_valid(errors: Errors, start: Start) -> None:
    standin = start(app_class="restricted", quota=2)
    path = "/playlists/{playlist_id}"
    unknown = standin.get(f"/v1/playlists/{EMPTY}").json()
    assert errors(unknown, path, 401) == []
    assert errors(get(standin, "artists?ids=4uLU6hMCjMI75M1A2tKUQC", 403), "/artists", 403) == []
    too_many = get(standin, f"playlists/{EMPTY}", 429)
    assert too_many["error"]["reason"] == "QUOTA_EXCEEDED"
    assert errors(too_many, path, 429) == []
    assert errors({"error": "text"}, path, 429) != []


def test_invalid_response_is_detected(errors: Errors, standin: Standin) -> None:
    head = get(standin, f"playlists/{CHARTS[0]}")
    head["items"]["items"][7]["item"]["album"].pop("name")
    head["snapshot_id"] = None
    found = {error.partition(":")[0] for error in errors(head, "/playlists/{playlist_id}")}
    assert found == {"$.items.items[7].item", "$.snapshot_id"}
