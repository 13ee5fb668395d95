"""Settings: arguments of create_app and the control accept the same values."""

from datetime import date
from typing import Any

import msgspec
import pytest

from sandbox.spotify.catalogue import MIXTAPE
from sandbox.spotify.server import create_app
from sandbox.spotify.settings import Settings
from sandbox.spotify.sources import Synthetic
from tests.spotify_standin import Start

GIVEN: dict[str, object] = {
    "app_class": "development",
    "old_shape": True,
    "token_lifetime": 60,
    "rotating": True,
    "refresh_days": 10,
    "user_agrees": False,
    "user_in_href": False,
    "floats": True,
    "window": 10,
    "quota": 100,
    "latency_ms": 1,
    "ahead_s": 2.5,
    "date_behind_s": 1.5,
    "changes": [],
}


def test_arguments_and_control_have_the_same_settings(start: Start) -> None:
    standin = start()
    assert standin.get("/sandbox/settings").json() == msgspec.to_builtins(Settings())
    assert set(GIVEN) == set(Settings.__struct_fields__)
    assert standin.set(**GIVEN).json() == GIVEN
    assert start(**GIVEN).get("/sandbox/settings").json() == GIVEN


def test_other_settings_are_unchanged(start: Start) -> None:
    standin = start(window=10)
    assert standin.set(quota=5).json() == {**msgspec.to_builtins(Settings()), "window": 10, "quota": 5}


MISTAKES: list[dict[str, Any]] = [
    {"app_class": "unlimited"},
    {"window": -1},
    {"latency": 100},
    {"changes": [{"playlist": MIXTAPE, "after": 0}]},
    {"changes": [{"playlist": MIXTAPE, "often": 1}]},
]


@pytest.mark.parametrize("mistake", MISTAKES, ids=str)
def test_invalid_setting_is_refused_and_changes_nothing(shared: Start, mistake: dict[str, Any]) -> None:
    standin = shared()
    before = standin.get("/sandbox/settings").json()
    response = standin.set(quota=1, **mistake)
    assert response.status_code == 400
    assert response.json()["error"]
    assert standin.get("/sandbox/settings").json() == before
    with pytest.raises(msgspec.ValidationError):
        create_app(Synthetic(), today=date.today, **mistake)


def test_class_of_app_can_be_changed_while_running(start: Start) -> None:
    standin = start()
    token = standin.bearer()
    path = f"/v1/playlists/{MIXTAPE}/items"
    assert standin.get(path, token).status_code == 200
    standin.set(app_class="restricted")
    assert standin.get(path, token).status_code == 401
