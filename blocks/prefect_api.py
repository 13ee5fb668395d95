"""Connection of the commands to Prefect's API, and the messages of its failures."""

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
HEALTH_TIMEOUT_S = 4.0
"""Time limit of the first request. Prefect's client would retry for minutes."""
HOW_TO_SET = (
    "Set PREFECT_API_URL (it ends in /api), or run `prefect cloud login`.\n"
    "For the sandbox: `make sandbox`, and in this shell `. .sandbox/env`."
)
NO_API = f"No Prefect API is set. {HOW_TO_SET}"


class PrefectFailed(Exception):
    """A request to Prefect's API failed. The message contains the reason and what to do."""


@contextmanager
def connected(environment: Mapping[str, str]) -> Iterator[None]:
    """Inside, Prefect's client uses one connection, to the API that the variables name.

    `environment`: variables that override Prefect's settings. Needed for an `.env` file other than ./.env,
    because Prefect reads ./.env when it is imported.
    """
    settings = {setting: environment[setting.name] for setting in SETTINGS if setting.name in environment}
    url = settings.get(PREFECT_API_URL) or PREFECT_API_URL.value()
    if not url:
        raise PrefectFailed(NO_API)  # Prefect would start a temporary server, and the blocks would be lost
    with ExitStack() as stack:
        try:
            if settings:
                stack.enter_context(temporary_settings(settings))
            _check_health(url)
            stack.enter_context(SyncClientContext.get_or_create())
        except (HTTPError, InvalidURL, RuntimeError, ValueError) as error:
            raise PrefectFailed(reason(error, url)) from None
        try:
            yield
        except HTTPError as error:
            raise PrefectFailed(reason(error, url)) from None


def _check_health(url: str) -> None:
    """Raises unless the API responds in time: a complete response, with a status below 500.

    Later requests report a 4xx status.
    """
    try:
        error = within(HEALTH_TIMEOUT_S, _request_health)
    except Unfinished:
        raise PrefectFailed(_no_response(url, f"no response within {HEALTH_TIMEOUT_S:g} s")) from None
    if isinstance(error, HTTPStatusError) and error.response.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
        return
    if isinstance(error, HTTPError | InvalidURL):
        raise error


def _request_health() -> Exception | None:
    try:
        with temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 0}), get_client(sync_client=True) as client:
            return client.api_healthcheck()
    except (HTTPError, InvalidURL, RuntimeError, ValueError) as error:
        return error


def reason(error: BaseException, url: str) -> str:
    """Message of an error. Quotes no response and no credentials of the URL: both may contain secrets."""
    if isinstance(error, RuntimeError) and error.__cause__:  # Prefect's "Failed to reach API" has no reason
        error = error.__cause__
    if isinstance(error, HTTPStatusError):
        return _refusal(error.response.status_code, url)
    if isinstance(error, HTTPError | InvalidURL):
        return _no_response(url, type(error).__name__)
    if isinstance(error, RuntimeError):  # incompatible versions of client and server
        return str(error)
    return f"The server at {address(url)} is not a Prefect API: correct PREFECT_API_URL (it ends in /api)"


def _no_response(url: str, why: str) -> str:
    return f"Prefect's API at {address(url)} does not respond ({why}).\n{HOW_TO_SET}"


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
        return f"Prefect's API at {where} refused the request ({status}): correct {keys}"
    if status == HTTPStatus.NOT_FOUND:
        return f"There is no Prefect API at {where} ({status}): correct PREFECT_API_URL"
    return f"Prefect's API at {where} failed ({status}): run it again"
