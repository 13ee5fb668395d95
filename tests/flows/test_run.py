"""Runs: their id, date, deadline and parameters, and how errors end them."""

import logging
import re
import signal
import threading
import time
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import Any

import pytest
from prefect import Flow, State, Task, flow, task
from prefect.cache_policies import NO_CACHE
from prefect.client.orchestration import get_client
from prefect.flow_engine import run_flow
from prefect.settings import (
    PREFECT_LOCAL_STORAGE_PATH,
    PREFECT_RESULTS_PERSIST_BY_DEFAULT,
    PREFECT_TASKS_DEFAULT_PERSIST_RESULT,
    temporary_settings,
)
from prefect.states import AwaitingRetry, Completed

import flows
from flows import run
from flows.deadline import OutOfTime, run_deadline
from flows.parameters import Limits
from flows.run import ends_failed, start_run
from flows.tasks import NO_RESULTS, is_transient
from pipeline.errors import Code, ConfigurationError, Transient
from pipeline.threads import threads

NOW = datetime(2026, 11, 21, 6, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("scheduled", "expected"),
    [
        (NOW, date(2026, 11, 21)),
        (datetime(2026, 11, 20, 23, 55, tzinfo=UTC), date(2026, 11, 20)),
        (NOW - timedelta(hours=12), date(2026, 11, 20)),
        (NOW - timedelta(hours=12, seconds=1), date(2026, 11, 21)),
        (NOW - timedelta(days=30), date(2026, 11, 21)),
        (NOW + timedelta(hours=12), date(2026, 11, 21)),
        (NOW + timedelta(hours=18), date(2026, 11, 21)),
        (NOW + timedelta(hours=24), date(2026, 11, 21)),
        (None, date(2026, 11, 21)),
    ],
    ids=[
        "on time",
        "days differ",
        "just in time",
        "late",
        "a month late",
        "early",
        "too early",
        "a day early",
        "by hand",
    ],
)
def test_the_date_is_that_of_the_schedule_within_12_hours_else_that_of_the_fetch(
    scheduled: datetime | None, expected: date, caplog: pytest.LogCaptureFixture
) -> None:
    found = run._date_of(NOW, scheduled)  # noqa: SLF001 - takes the time as a parameter

    assert found == expected
    assert type(found) is date
    far = scheduled is not None and abs(NOW - scheduled) > timedelta(hours=12)
    assert ("more than 12 hours before or after" in caplog.text) == far


def test_every_attempt_has_a_new_run_id() -> None:
    ids = {start_run().run_id for _ in range(100)}

    assert len(ids) == 100
    assert all(re.fullmatch(r"\d{8}T\d{6}Z-[0-9a-f]{8}", one) for one in ids)


def test_a_run_before_its_scheduled_day_has_the_date_of_the_fetch(caplog: pytest.LogCaptureFixture) -> None:
    evening = datetime(2026, 11, 20, 20, tzinfo=UTC)
    assert run._date_of(evening, NOW) == date(2026, 11, 20)  # noqa: SLF001 - takes the time as a parameter
    assert "starts before that day" in caplog.text


@pytest.mark.parametrize("hours", range(-49, 50, 7))
@pytest.mark.parametrize("hour", [0, 11, 12, 23])
def test_the_default_is_a_date_that_is_not_refused(hours: int, hour: int) -> None:
    now = NOW.replace(hour=hour)
    found = run._date_of(now, now + timedelta(hours=hours))  # noqa: SLF001 - takes the time as a parameter
    run._refuse_false_date(now, found)  # noqa: SLF001 - does not raise


@pytest.mark.parametrize("days", [-3650, -2, 1, 365])
def test_a_date_that_is_neither_today_nor_yesterday_is_refused(days: int) -> None:
    today = datetime.now(UTC).date()
    with pytest.raises(ConfigurationError, match=r"Use .* or leave it empty") as refused:
        start_run(today + timedelta(days=days))
    assert refused.value.code == Code.SNAPSHOT_DATE_REFUSED


def test_a_run_that_fetches_nothing_may_have_any_date() -> None:
    assert start_run(date(1999, 12, 31), fetches=False).snapshot_date == date(1999, 12, 31)


@pytest.mark.usefixtures("prefect_api")
def test_an_expected_error_of_a_task_fails_the_run_without_a_traceback(
    caplog: pytest.LogCaptureFixture,
) -> None:
    calls = []

    @task(retries=2, retry_condition_fn=is_transient)
    def fail() -> None:
        calls.append(1)
        raise ConfigurationError("the bucket does not exist: create it", Code.LAKE_BUCKET)

    @flow
    @ends_failed
    def failing() -> None:
        start_run()
        fail()

    state = failing(return_state=True)

    assert state.is_failed()
    assert state.message == "the bucket does not exist: create it [LAKE_BUCKET]"
    assert len(calls) == 1
    assert [r for r in caplog.records if r.exc_info and r.levelno > logging.DEBUG] == []
    # The engine of a container logs the one ERROR: tests/deploy/test_rehearsal.py
    assert [r.getMessage() for r in caplog.records if r.levelno >= logging.ERROR] == []
    assert "the bucket does not exist" not in caplog.text


@pytest.mark.usefixtures("prefect_api")
def test_a_transient_error_is_retried(caplog: pytest.LogCaptureFixture) -> None:
    calls = []

    @task(retries=2, retry_condition_fn=is_transient)
    def fail_once() -> None:
        calls.append(1)
        if len(calls) == 1:
            raise Transient("no response", Code.SPOTIFY_UNAVAILABLE)

    @flow
    @ends_failed
    def trying() -> State[None]:
        start_run()
        fail_once()
        return Completed(message="done")

    assert trying(return_state=True).message == "done"
    assert len(calls) == 2
    assert [r.getMessage().split(" - ")[0] for r in caplog.records if "no response" in r.getMessage()] == [
        "Task run failed with exception: no response [SPOTIFY_UNAVAILABLE]"
    ]


@pytest.mark.parametrize("step", ["a thread", "a task between two attempts"])
@pytest.mark.usefixtures("prefect_api")
def test_a_blocked_run_ends_at_its_deadline(caplog: pytest.LogCaptureFixture, step: str) -> None:
    never_set = threading.Event()

    @task(name="read", retries=1, retry_delay_seconds=60)
    def read() -> None:
        logging.getLogger("pipeline.keep").info("3 of 7 playlists read")
        if step == "a thread":
            with threads() as pool:
                pool.submit(never_set.wait).result()
        raise Transient("no response", Code.LAKE_UNAVAILABLE)

    @flow
    @ends_failed
    def blocked(*, limits: Limits = Limits()) -> None:  # noqa: ARG001 - `ends_failed` enforces it
        read()

    start = time.monotonic()
    state = blocked(limits=Limits(max_hours=1 / 3600), return_state=True)

    assert time.monotonic() - start < 30
    assert state.is_failed()
    assert re.fullmatch(
        r"The run was stopped after max_hours=0\.000277778, in task read \(.*3 of 7 playlists read\)\. "
        r"Nothing was loaded\. Run again; .* \[RUN_DEADLINE\]",
        str(state.message),
    ), state.message
    assert [r.getMessage() for r in caplog.records if r.levelno >= logging.ERROR] == []
    left = [one for one in threading.enumerate() if not one.daemon and one is not threading.main_thread()]
    assert left == []
    never_set.set()


def test_a_deadline_restores_the_previous_timer_and_handler() -> None:
    fired: list[int] = []
    handler = signal.signal(signal.SIGALRM, lambda *_: fired.append(1))
    signal.setitimer(signal.ITIMER_REAL, 100)
    try:
        with run_deadline(1000, lambda: "here"):
            assert signal.getitimer(signal.ITIMER_REAL)[0] <= 100
        assert 0 < signal.getitimer(signal.ITIMER_REAL)[0] <= 100
        signal.raise_signal(signal.SIGALRM)
        assert fired == [1]
        with pytest.raises(OutOfTime), run_deadline(0.01, lambda: "here"):
            threading.Event().wait()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)


def test_outside_the_main_thread_a_deadline_only_warns(caplog: pytest.LogCaptureFixture) -> None:
    def run_in_thread() -> None:
        with run_deadline(0.001, lambda: "here"):
            pass

    thread = threading.Thread(target=run_in_thread)
    thread.start()
    thread.join()
    assert "max_hours is not enforced" in caplog.text


@pytest.mark.usefixtures("prefect_api")
def test_wrong_parameters_are_named_with_the_expected_form() -> None:
    @flow(validate_parameters=False)
    @ends_failed
    def dated(*, day: date, limits: Limits = Limits()) -> None:
        raise AssertionError((day, limits))

    wrong = {"max_hours": 25, "pipe_minutes": "ten", "hours": 4}
    state: Any = dated(day="21.11.2026", limits=wrong, return_state=True)

    assert state.message == (
        "The run's parameters are wrong: day must be a date, YYYY-MM-DD, not '21.11.2026'; "
        "limits.pipe_minutes must be a number, not 'ten'; "
        "limits.max_hours must be less than or equal to 24, not 25; "
        "limits.hours does not exist: remove it. Nothing was requested [PARAMETER_INVALID]"
    )
    whole: Any = dated(day=NOW.date(), limits=5, return_state=True)
    assert 'limits must be an object, {"name": value}, not 5. ' in whole.message


@pytest.mark.parametrize("given", [None, {"a": 1}])
@pytest.mark.usefixtures("prefect_api")
def test_a_wrong_positional_parameter_is_named(given: object) -> None:
    @flow(validate_parameters=False)
    @ends_failed
    def listed(playlists: list[str], *, before: datetime | None = None) -> None:
        raise AssertionError((playlists, before))

    state: Any = listed(given, before="gestern", return_state=True)

    assert f"playlists must be a valid list, not {given!r}; before must be a time, " in state.message


def test_no_task_or_flow_persists_its_result() -> None:
    """Retry in Prefect's UI executes each task again, whatever the user's settings."""
    modules = [import_module(one.name) for one in walk_packages(flows.__path__, "flows.")]
    found = {
        id(one): one for module in modules for one in vars(module).values() if isinstance(one, Flow | Task)
    }
    assert len(found) >= 7
    assert [one.name for one in found.values() if one.persist_result is not False] == []
    tasks = [one for one in found.values() if isinstance(one, Task)]
    assert [one.name for one in tasks if one.cache_policy != NO_CACHE] == []


@pytest.mark.usefixtures("prefect_api")
def test_a_retried_flow_run_executes_its_tasks_again(tmp_path: Path) -> None:
    """Settings persist all results, as the task without our options proves: it is not executed again."""
    calls: Counter[str] = Counter()

    @task(**NO_RESULTS)
    def ours() -> None:
        calls.update(["ours"])

    @task
    def without_options() -> None:
        calls.update(["without options"])

    @flow(persist_result=False)
    def retried() -> None:
        ours()
        without_options()

    settings = {
        PREFECT_RESULTS_PERSIST_BY_DEFAULT: True,
        PREFECT_TASKS_DEFAULT_PERSIST_RESULT: True,
        PREFECT_LOCAL_STORAGE_PATH: tmp_path,
    }
    with temporary_settings(settings), get_client(sync_client=True) as api:
        run_id = api.create_flow_run(retried).id
        for _ in range(2):
            api.set_flow_run_state(run_id, AwaitingRetry(), force=True)  # as the button "Retry" does
            run_flow(retried, api.read_flow_run(run_id), return_type="state")

    assert calls == {"ours": 2, "without options": 1}


@pytest.mark.usefixtures("prefect_api")
def test_an_unexpected_error_keeps_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    @task
    def broken() -> None:
        raise ZeroDivisionError

    @flow
    @ends_failed
    def breaking() -> None:
        start_run()
        broken()

    assert breaking(return_state=True).is_failed()
    assert any(r.exc_info and r.exc_info[0] is ZeroDivisionError for r in caplog.records)
