"""A run's id and date, and how expected errors end."""

import logging
import re
from datetime import UTC, date, datetime, timedelta

import pytest
from prefect import State, flow, task
from prefect.states import Completed

from flows import run
from flows.errors import Code, ConfigurationError, Transient
from flows.run import ends_failed, start_run
from flows.tasks import is_transient

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
        (None, date(2026, 11, 21)),
    ],
    ids=["on time", "days differ", "just in time", "late", "a month late", "early", "too early", "by hand"],
)
def test_a_run_far_from_its_schedule_is_dated_by_its_fetch(
    scheduled: datetime | None, expected: date, caplog: pytest.LogCaptureFixture
) -> None:
    found = run._date_of(NOW, scheduled)  # noqa: SLF001 - with a clock of its own

    assert found == expected
    assert type(found) is date
    far = scheduled is not None and abs(NOW - scheduled) > timedelta(hours=12)
    assert ("more than 12 hours from then" in caplog.text) == far


def test_every_attempt_has_a_new_id() -> None:
    ids = {start_run(date(2026, 1, 1)).run_id for _ in range(100)}

    assert len(ids) == 100
    assert all(re.fullmatch(r"\d{8}T\d{6}Z-[0-9a-f]{8}", one) for one in ids)


def test_an_explicit_date_is_a_label_and_may_be_any() -> None:
    assert start_run(date(1999, 12, 31)).snapshot_date == date(1999, 12, 31)


@pytest.mark.usefixtures("prefect_api")
def test_an_expected_error_of_a_task_fails_the_run_without_a_traceback(
    caplog: pytest.LogCaptureFixture,
) -> None:
    calls = []

    @task(retries=2, retry_condition_fn=is_transient)
    def fail() -> None:
        calls.append(1)
        raise ConfigurationError("the bucket is gone: create it", Code.LAKE_BUCKET)

    @flow
    @ends_failed
    def failing() -> None:
        start_run()
        fail()

    state = failing(return_state=True)

    assert state.is_failed()
    assert state.message == "the bucket is gone: create it"
    assert len(calls) == 1
    assert [r for r in caplog.records if r.exc_info and r.levelno > logging.DEBUG] == []


@pytest.mark.usefixtures("prefect_api")
def test_what_may_pass_by_itself_is_tried_again() -> None:
    calls = []

    @task(retries=2, retry_condition_fn=is_transient)
    def fail_once() -> None:
        calls.append(1)
        if len(calls) == 1:
            raise Transient("no answer", Code.SPOTIFY_UNAVAILABLE)

    @flow
    @ends_failed
    def trying() -> State[None]:
        start_run()
        fail_once()
        return Completed(message="done")

    assert trying(return_state=True).message == "done"
    assert len(calls) == 2


@pytest.mark.usefixtures("prefect_api")
def test_a_defect_keeps_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
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
