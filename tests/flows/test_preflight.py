"""Preflight as a flow: its checks of Prefect and Spotify, its output, and that it changes nothing.

tests/pipeline/preflight tests the checks of the lake's permissions and the warehouse's grants.
"""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest
import requests
from prefect.artifacts import Artifact
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import GlobalConcurrencyLimitUpdate
from prefect.variables import Variable
from pydantic import SecretStr

from blocks import SpotifyCredentials
from blocks.stored import create_rate_limit
from flows.daily_playlists import VARIABLE
from flows.parameters import IngestBlockNames
from flows.preflight import find_lines, preflight, run_preflight_from_shell
from flows.run import start_run
from pipeline.preflight.checks import Line
from sandbox.spotify.catalogue import CHARTS, FOREIGN, MIXTAPE
from tests.flows.conftest import TODAY, Pipeline
from tests.tiers import enumerated

UNKNOWN = "0000000000000000000000"


@pytest.fixture
def ready(pipeline: Pipeline) -> Iterator[Pipeline]:
    """A pipeline that has run once, with a daily list and a rate limit."""
    assert pipeline.ingest(MIXTAPE, snapshot_date=TODAY).is_completed()
    Variable.set(VARIABLE, [MIXTAPE, CHARTS[0]], overwrite=True)
    block: Any = SpotifyCredentials.load(pipeline.blocks["spotify"])
    create_rate_limit(block.rate_limit, 1000)
    yield pipeline
    with get_client(sync_client=True) as client:
        client.delete_global_concurrency_limit_by_name(block.rate_limit)
    Variable.unset(VARIABLE)


def lines(pipeline: Pipeline, *playlists: str, **blocks: str) -> list[Line]:
    """Results of all checks, without a flow run."""
    names = IngestBlockNames(**{**pipeline.blocks, **blocks})
    return find_lines(start_run(), list(playlists), "copy", names)


def not_ok(found: list[Line]) -> dict[str, Line]:
    """Red and skipped results, by check."""
    return {line.check: line for line in found if line.status != "ok"}


def test_a_working_pipeline_passes_all_checks_and_is_not_changed(
    ready: Pipeline, capsys: pytest.CaptureFixture[str]
) -> None:
    def state() -> object:
        place = ready.place
        return place.schema(), place.contents(["playlists", "songs", "rejects"]), place.keys()

    before = state()
    ended: Any = preflight(json=True, return_state=True, blocks=IngestBlockNames(**ready.blocks))
    assert (ended.is_completed(), ended.message) == (True, "59 checks, all ok")
    printed = json.loads(capsys.readouterr().out)
    assert printed["red"] == 0
    assert {line["status"] for line in printed["checks"]} == {"ok"}
    texts = {line["check"]: line["text"] for line in printed["checks"]}
    assert texts[f"Spotify: playlist {MIXTAPE}"] == "320 entries"
    assert texts["warehouse: newest snapshot"] == f"{TODAY}; 1 playlist"
    shown: Any = Artifact.get("preflight")
    assert len(json.loads(shown.data)) == len(printed["checks"])
    assert state() == before


class Case(NamedTuple):
    """A wrong or missing setting: the check that is red, the code in its text, the skipped checks."""

    run_checks: Callable[[Pipeline], Any]
    red: str
    code: str
    skipped: tuple[str, ...] = ()


def missing_block(parameter: str) -> Callable[[Pipeline], Any]:
    """Checks with the name of a block that does not exist."""
    return lambda pipeline: lines(pipeline, **{parameter: "nobody"})


def with_spotify(**settings: object) -> Callable[[Pipeline], Any]:
    """Checks with other settings of the Spotify stand-in."""

    def run_checks(pipeline: Pipeline) -> list[Line]:
        url = pipeline.serve()
        requests.patch(f"{url}/sandbox/settings", json=settings, timeout=10).raise_for_status()
        return lines(pipeline, MIXTAPE, FOREIGN)

    return run_checks


def with_credentials(**fields: object) -> Callable[[Pipeline], Any]:
    """Checks with other values in the Spotify block."""

    def run_checks(pipeline: Pipeline) -> list[Line]:
        block: Any = SpotifyCredentials.load(pipeline.blocks["spotify"])
        stored = {name: getattr(block, name) for name in SpotifyCredentials.model_fields}
        name = f"{pipeline.blocks['spotify']}-changed"
        SpotifyCredentials(**{**stored, **fields}).save(name, overwrite=True)
        return lines(pipeline, spotify=name)

    return run_checks


def with_variable(value: list[str]) -> Callable[[Pipeline], Any]:
    """Checks with another daily list."""

    def run_checks(pipeline: Pipeline) -> list[Line]:
        Variable.set(VARIABLE, value, overwrite=True)
        return lines(pipeline)

    return run_checks


@contextmanager
def limited(pipeline: Pipeline, change: GlobalConcurrencyLimitUpdate) -> Iterator[None]:
    """Changes the rate limit, and undoes the change."""
    block: Any = SpotifyCredentials.load(pipeline.blocks["spotify"])
    with get_client(sync_client=True) as client:
        before = client.read_global_concurrency_limit_by_name(block.rate_limit)
        client.update_global_concurrency_limit(block.rate_limit, change)
        try:
            yield
        finally:
            undo = GlobalConcurrencyLimitUpdate(
                name=before.name,
                limit=before.limit,
                active=before.active,
                slot_decay_per_second=before.slot_decay_per_second,
            )
            client.update_global_concurrency_limit(change.name or block.rate_limit, undo)


def with_limit(**change: Any) -> Callable[[Pipeline], Any]:
    """Checks with another rate limit."""

    def run_checks(pipeline: Pipeline) -> list[Line]:
        with limited(pipeline, GlobalConcurrencyLimitUpdate(**change)):
            return lines(pipeline)

    return run_checks


LONG_AGO = datetime.now(UTC) - timedelta(days=200)
PLAYLISTS_TO_READ = ("Spotify: playlists to read",)
CASES = {
    "no spotify block": Case(
        missing_block("spotify"),
        "Prefect: block nobody",
        "[BLOCK_MISSING]",
        ("Spotify", "Prefect: rate limit"),
    ),
    "no lake block": Case(
        missing_block("lake"), "Prefect: block nobody", "[BLOCK_MISSING]", ("lake", "warehouse")
    ),
    "no warehouse block": Case(
        missing_block("warehouse"), "Prefect: block nobody", "[BLOCK_MISSING]", ("warehouse",)
    ),
    "no daily list": Case(with_variable([]), "Prefect: playlists", "[PLAYLISTS_EMPTY]", PLAYLISTS_TO_READ),
    "wrong daily list": Case(
        with_variable(["no playlist"]),
        "Prefect: playlists",
        "[PLAYLIST_INVALID]",
        PLAYLISTS_TO_READ,
    ),
    "no rate limit": Case(with_limit(name="another"), "Prefect: rate limit", "[RATE_LIMIT_MISSING]"),
    "rate limit of 0": Case(with_limit(limit=0, active=True), "Prefect: rate limit", "[RATE_LIMIT_INVALID]"),
    "wrong secret": Case(
        with_credentials(client_secret=SecretStr("wrong")),
        "Spotify: token",
        "[SPOTIFY_CLIENT]",
        ("Spotify: consent of a user", "Spotify: clock", "Spotify: playlists to read"),
    ),
    "old consent": Case(
        with_credentials(authorized_at=LONG_AGO), "Spotify: consent of a user", "[SPOTIFY_REFRESH_TOKEN]"
    ),
    "restricted app": Case(
        with_spotify(app_class="restricted"), f"Spotify: playlist {FOREIGN}", "[SPOTIFY_NOT_YOURS]"
    ),
    "clock ahead": Case(
        with_spotify(date_behind_s=90),
        "Spotify: token",
        "[CLOCK_SKEWED]",
        ("Spotify: consent of a user", "Spotify: clock", "Spotify: playlists to read"),
    ),
    "unknown playlist": Case(
        lambda pipeline: lines(pipeline, UNKNOWN, MIXTAPE),
        f"Spotify: playlist {UNKNOWN}",
        "[SPOTIFY_NOT_FOUND]",
    ),
}


@pytest.mark.parametrize("name", enumerated(CASES, ["no lake block"]))
def test_a_wrong_setting_is_red_and_checks_that_depend_on_it_are_skipped(ready: Pipeline, name: str) -> None:
    case = CASES[name]
    found = not_ok(case.run_checks(ready))
    red = found.pop(case.red)
    assert red.is_red
    assert case.code in red.text
    assert {line.check for line in found.values() if line.status == "skipped"} == set(case.skipped)
    assert [line for line in found.values() if line.is_red] == []


def test_a_red_check_fails_the_run_and_becomes_its_message(
    ready: Pipeline, capsys: pytest.CaptureFixture[str]
) -> None:
    ended: Any = preflight([UNKNOWN], return_state=True, blocks=IngestBlockNames(**ready.blocks))
    assert ended.is_failed()
    assert ended.message.startswith(f"1 of 58 checks is red. Spotify: playlist {UNKNOWN}: ")
    (line,) = [line for line in capsys.readouterr().out.splitlines() if not line.startswith("ok ")]
    assert line.startswith(f"missing  Spotify: playlist {UNKNOWN} ")


@pytest.mark.parametrize("options", [["--json"], []], ids=["JSON", "text"])
def test_without_a_prefect_api_its_check_is_red_and_the_rest_is_skipped(
    options: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    with pytest.raises(SystemExit):
        run_preflight_from_shell(options)
    shown = capsys.readouterr().out
    if options:
        assert json.loads(shown)["red"] == 1
    assert len(re.findall("skipped", shown)) == 4
    assert "[PREFECT_UNAVAILABLE]" in shown
