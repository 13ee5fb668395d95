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
from tests.flows.test_connections import echoing_api

Set = Callable[[Any], None]
LINK = f"https://open.spotify.com/playlist/{EMPTY}?si=1&utm_source=copy-link"

RIGHT: dict[str, Any] = {
    "a list": [EMPTY, "mine", LINK],
    "a list as JSON text": json.dumps([EMPTY, "mine"]),
    "with white space": f' [ "{LINK}",\n"Mine" ] ',
}


@pytest.mark.parametrize("value", RIGHT.values(), ids=RIGHT)
def test_a_list_of_playlists_is_read(value: object) -> None:
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
    "a list of lists": ([[EMPTY]], Code.DAILY_PLAYLISTS_INVALID, "not a list of strings"),
    "nested too deeply": ("[" * 5000, Code.DAILY_PLAYLISTS_INVALID, "not a list"),
    "an album": ([EMPTY, "spotify:album:x"], Code.PLAYLIST_INVALID, "'spotify:album:x' is not a playlist"),
}


@pytest.mark.parametrize(("value", "code", "problem"), WRONG.values(), ids=WRONG)
def test_any_other_value_is_refused_with_an_explanation(value: object, code: Code, problem: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        daily_playlists(value)
    assert refused.value.code == code
    assert f"Prefect variable {VARIABLE}" in refused.value.message
    assert problem in refused.value.message
    assert refused.value.message.endswith("Nothing was requested")
    assert len(refused.value.message) < 500


@pytest.fixture
def set_list(prefect_api: dict[str, str]) -> Iterator[Set]:
    """Sets the variable on the test's Prefect server; deletes it after the test."""
    assert prefect_api

    def to(value: Any) -> None:
        Variable.set(VARIABLE, value, overwrite=True)

    yield to
    with get_client(sync_client=True) as api:
        if api.read_variable_by_name(VARIABLE):
            api.delete_variable_by_name(VARIABLE)


def test_a_run_reads_the_list_when_it_starts(
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
def test_without_a_list_the_command_prints_how_to_set_it(
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
def test_the_error_of_a_failing_api_shows_nothing_of_its_response(
    status: int, kind: type[PipelineError]
) -> None:
    with (
        echoing_api(status, []) as url,
        temporary_settings({PREFECT_API_URL: url, PREFECT_API_KEY: "canary", PREFECT_CLIENT_MAX_RETRIES: 0}),
        pytest.raises(kind) as refused,
    ):
        read_daily_playlists.fn()
    assert refused.value.code == Code.PREFECT_UNAVAILABLE
    assert "canary" not in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


def test_reading_the_variable_is_retried() -> None:
    assert read_daily_playlists.retries == 3
    assert read_daily_playlists.retry_condition_fn is not None
