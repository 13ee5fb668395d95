"""Prefect's API as the commands use it: one connection, and one message for whatever is wrong with it."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from http import HTTPStatus
from urllib.parse import urlsplit

from httpx import HTTPError, HTTPStatusError, InvalidURL
from prefect.client.orchestration import get_client
from prefect.context import SyncClientContext
from prefect.settings import (
    PREFECT_API_AUTH_STRING,
    PREFECT_API_KEY,
    PREFECT_API_URL,
    PREFECT_CLIENT_MAX_RETRIES,
    temporary_settings,
)

from pipeline.threads import Unfinished, within

SETTINGS = (PREFECT_API_URL, PREFECT_API_KEY, PREFECT_API_AUTH_STRING)
ANSWER_S = 4.0
"""Seconds in which the API must answer a first request; Prefect's own client would wait for many minutes."""
HOW_TO_SET = (
    "Set PREFECT_API_URL (it ends in /api), or run `prefect cloud login`.\n"
    "For the sandbox: `make sandbox`, and in this shell `. .sandbox/env`."
)
NO_API = f"No Prefect API is set. {HOW_TO_SET}"


class PrefectFailed(Exception):
    """Prefect's API did not do what it was asked; says why, and what to do."""


@contextmanager
def connected(environment: Mapping[str, str]) -> Iterator[None]:
    """Prefect's client in here uses one connection, to the API that the variables name.

    Prefect read its settings when it was imported, those of ./.env too: a file elsewhere comes too late.
    """
    settings = {setting: environment[setting.name] for setting in SETTINGS if setting.name in environment}
    url = settings.get(PREFECT_API_URL) or PREFECT_API_URL.value()
    if not url:
        raise PrefectFailed(NO_API)  # Prefect would start a server that nobody else ever sees
    with ExitStack() as stack:
        try:
            if settings:
                stack.enter_context(temporary_settings(settings))
            _refuse_silence(url)
            stack.enter_context(SyncClientContext.get_or_create())
        except (HTTPError, InvalidURL, RuntimeError, ValueError) as error:
            raise PrefectFailed(reason(error, url)) from None
        try:
            yield
        except HTTPError as error:
            raise PrefectFailed(reason(error, url)) from None


def _refuse_silence(url: str) -> None:
    """Raises PrefectFailed unless the API answers anything in time, however slowly its bytes come.

    What it answers is judged later.
    """
    try:
        error = within(ANSWER_S, _ask)
    except Unfinished:
        raise PrefectFailed(_silence(url, f"no response within {ANSWER_S:g} s")) from None
    if isinstance(error, HTTPStatusError) and error.response.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
        return
    if isinstance(error, HTTPError | InvalidURL):
        raise error


def _ask() -> Exception | None:
    try:
        with temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 0}), get_client(sync_client=True) as client:
            return client.api_healthcheck()
    except (HTTPError, InvalidURL, RuntimeError, ValueError) as error:
        return error


def reason(error: BaseException, url: str) -> str:
    """What happened; a URL may hold a password, and a response what was sent: neither is shown."""
    if isinstance(error, RuntimeError) and error.__cause__:  # Prefect's "Failed to reach API" hides why
        error = error.__cause__
    if isinstance(error, HTTPStatusError):
        return _refusal(error.response.status_code, url)
    if isinstance(error, HTTPError | InvalidURL):
        return _silence(url, type(error).__name__)
    if isinstance(error, RuntimeError):  # versions that do not go together
        return str(error)
    return f"What answers at {address(url)} is no Prefect API: correct PREFECT_API_URL (it ends in /api)"


def _silence(url: str, why: str) -> str:
    return f"Prefect's API at {address(url)} does not answer ({why}).\n{HOW_TO_SET}"


def address(url: str) -> str:
    """The URL without user, password and query."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "PREFECT_API_URL, which is not a URL,"
    return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}"


def _refusal(status: int, url: str) -> str:
    where = address(url)
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        keys = "PREFECT_API_KEY (or PREFECT_API_AUTH_STRING)"
        return f"Prefect's API at {where} refuses ({status}): correct {keys}"
    if status == HTTPStatus.NOT_FOUND:
        return f"There is no Prefect API at {where} ({status}): correct PREFECT_API_URL"
    return f"Prefect's API at {where} fails ({status}): run it again"
