"""The loading thread, the notification channel, and the controls at /sandbox/pipes."""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
import requests
from snowflake.connector.errors import ProgrammingError

from tests.sandbox.snowflake.conftest import Control, Songs, standing_in

StandIn = Callable[..., AbstractContextManager[Callable[..., Any]]]


@pytest.mark.parametrize("pipe", [False, True], ids=["without a pipe", "with a pipe"])
def test_loading_thread_ends_with_the_server(stand_in: StandIn, pipe: bool) -> None:
    before = _pipe_threads()
    with stand_in() as connect, connect() as connection:
        cursor = connection.cursor()
        cursor.execute("CREATE TABLE t (a INT)")
        if pipe:
            cursor.execute("CREATE PIPE p AUTO_INGEST = TRUE AS COPY INTO t FROM @lake/t/")
        (thread,) = _pipe_threads() - before
    assert not thread.is_alive()


def _pipe_threads() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name == "pipes"}


def test_each_account_has_its_own_notification_channel(stand_in: StandIn, songs: Songs) -> None:
    channel = songs.status()["notificationChannelName"]
    with stand_in() as connect, connect() as other:
        url = f"http://127.0.0.1:{other.port}/sandbox/pipes/channel"
        channels = [requests.post(url, timeout=10).json()["notification_channel"] for _ in range(2)]
    assert channels[0] == channels[1] != channel


def test_without_sqs_only_statements_about_pipes_fail() -> None:
    with standing_in("http://127.0.0.1:9") as connect, connect() as connection:
        cursor = connection.cursor()
        cursor.execute("CREATE TABLE t (a INT)")
        with pytest.raises(ProgrammingError, match="need SQS at the endpoint of S3"):
            cursor.execute("CREATE PIPE p AUTO_INGEST = TRUE AS COPY INTO t FROM @lake/t/")
        assert cursor.execute("SHOW PIPES").fetchall() == []
        response = requests.post(f"http://127.0.0.1:{connection.port}/sandbox/pipes/channel", timeout=10)
        assert response.status_code == 503


def test_default_delay_is_the_option_of_the_command(stand_in: StandIn) -> None:
    with stand_in(pipe_delay=7.5) as connect, connect() as connection:
        control = Control(f"http://127.0.0.1:{connection.port}/sandbox/pipes")
        assert control.shown()["delay"] == 7.5
        control(delay=0.0, hold="x")
        assert (control.shown()["delay"], control.shown()["hold"]) == (0.0, "x")
        control()
        assert (control.shown()["delay"], control.shown()["hold"]) == (7.5, None)


@pytest.mark.parametrize("body", [{"dealy": 1}, {"delay": "long"}, {"hold": "("}, {"delay": -1}])
def test_invalid_setting_is_refused(control: Control, body: dict[str, Any]) -> None:
    before = control.shown()
    response = requests.put(control.url, json=body, timeout=10)
    assert response.status_code == 400
    assert control.shown() == before
