"""The Prefect variable `daily_playlists`: read when a run starts that names no playlist."""

import json
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_KEY, PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings
from prefect.variables import Variable

from flows.daily_playlists import VARIABLE, daily_playlists, read_daily_playlists
from flows.ingest import ingest_playlists
from flows.shell import run_from_shell
from pipeline.errors import Code, ConfigurationError, PipelineError, Transient
from sandbox.spotify.catalogue import CHARTS, EMPTY, FOREIGN
from tests.flows.conftest import TODAY, Pipeline
from tests.flows.test_connections import repeating_api

Set = Callable[[Any], None]
LINK = f"https://open.spotify.com/playlist/{EMPTY}?si=1&utm_source=copy-link"

RIGHT: dict[str, Any] = {
    "a list": [EMPTY, "mine", LINK],
    "a list as JSON text": json.dumps([EMPTY, "mine"]),
    "with white space": f' [ "{LINK}",\n"Mine" ] ',
}


@pytest.mark.parametrize("value", RIGHT.values(), ids=RIGHT)
def test_lists_of_names_are_read(value: object) -> None:
    assert daily_playlists(value) == [EMPTY, "mine"]


WRONG: dict[str, tuple[Any, Code, str]] = {
    "not set": (None, Code.PLAYLISTS_EMPTY, "is not set or empty"),
    "an empty list": ([], Code.PLAYLISTS_EMPTY, "is not set or empty"),
    "an empty text": ("", Code.PLAYLISTS_EMPTY, "is not set or empty"),
    "an empty list as text": ("[]", Code.PLAYLISTS_EMPTY, "is not set or empty"),
    "a name": (EMPTY, Code.DAILY_PLAYLISTS_INVALID, f"is '{EMPTY}', not a list"),
    "an object": ({"playlists": [EMPTY]}, Code.DAILY_PLAYLISTS_INVALID, "not a list"),
    "a number": (7, Code.DAILY_PLAYLISTS_INVALID, "is 7, not a list"),
    "false": (False, Code.DAILY_PLAYLISTS_INVALID, "is False, not a list"),
    "a list of lists": ([[EMPTY]], Code.DAILY_PLAYLISTS_INVALID, "not a list of texts"),
    "nested without end": ("[" * 5000, Code.DAILY_PLAYLISTS_INVALID, "not a list"),
    "an album": ([EMPTY, "spotify:album:x"], Code.PLAYLIST_INVALID, "'spotify:album:x' is not a playlist"),
}


@pytest.mark.parametrize(("value", "code", "says"), WRONG.values(), ids=WRONG)
def test_anything_else_is_refused_in_words(value: object, code: Code, says: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        daily_playlists(value)
    assert refused.value.code == code
    assert f"Prefect variable {VARIABLE}" in refused.value.message
    assert says in refused.value.message
    assert refused.value.message.endswith("Nothing was requested")
    assert len(refused.value.message) < 500


@pytest.fixture
def set_list(prefect_api: dict[str, str]) -> Iterator[Set]:
    """Sets the variable of this process's server; it is gone after the test."""
    assert prefect_api

    def to(value: Any) -> None:
        Variable.set(VARIABLE, value, overwrite=True)

    yield to
    with get_client(sync_client=True) as api:
        if api.read_variable_by_name(VARIABLE):
            api.delete_variable_by_name(VARIABLE)


def test_a_run_reads_the_list_as_it_is_when_it_starts(
    pipeline: Pipeline, set_list: Set, caplog: pytest.LogCaptureFixture
) -> None:
    set_list([EMPTY])
    assert pipeline.ingest(snapshot_date=TODAY).message == "1 playlist loaded"
    set_list(json.dumps([EMPTY, LINK, FOREIGN]))
    assert pipeline.ingest(snapshot_date=TODAY).message == "1 playlist loaded, 1 unchanged"
    assert f"2 playlists in the Prefect variable {VARIABLE}: {EMPTY}, {FOREIGN}" in caplog.text
    lines = pipeline.place.receipts()[-1]["playlists"]
    assert {line["playlist_id"] for line in lines} == {EMPTY, FOREIGN}
    assert pipeline.ingest(CHARTS[0], snapshot_date=TODAY).message == "1 playlist loaded"


@pytest.mark.usefixtures("set_list")
def test_without_a_list_a_shell_says_how_to_set_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["flows.ingest"])
    with pytest.raises(SystemExit) as ended:
        run_from_shell(ingest_playlists, "flows ingest")
    assert ended.value.code == 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert f"prefect variable set {VARIABLE} '[" in last
    assert last.endswith(f"[{Code.PLAYLISTS_EMPTY}]")


@pytest.mark.parametrize(("status", "kind"), [(403, ConfigurationError), (500, Transient), (200, Transient)])
def test_an_api_that_gives_no_variable_shows_none_of_its_answer(
    status: int, kind: type[PipelineError]
) -> None:
    with (
        repeating_api(status, []) as url,
        temporary_settings({PREFECT_API_URL: url, PREFECT_API_KEY: "canary", PREFECT_CLIENT_MAX_RETRIES: 0}),
        pytest.raises(kind) as refused,
    ):
        read_daily_playlists.fn()
    assert refused.value.code == Code.PREFECT_UNAVAILABLE
    assert "canary" not in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


def test_a_variable_that_cannot_be_read_is_tried_again() -> None:
    assert read_daily_playlists.retries == 3
    assert read_daily_playlists.retry_condition_fn is not None
