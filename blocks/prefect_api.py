"""Prefect's API as the command uses it: one connection, and one message for whatever is wrong with it."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from http import HTTPStatus

from httpx import HTTPError, HTTPStatusError, InvalidURL
from prefect.context import SyncClientContext
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_KEY, PREFECT_API_URL, temporary_settings

SETTINGS = (PREFECT_API_URL, PREFECT_API_KEY, PREFECT_API_AUTH_STRING)
NO_API = "there is no Prefect API: set PREFECT_API_URL (it ends in /api), or `prefect cloud login`"


class PrefectFailed(Exception):
    """Prefect's API did not do what it was asked; says why, and what to do."""


@contextmanager
def connected(environment: Mapping[str, str]) -> Iterator[None]:
    """Prefect's client in here uses one connection, to the API that the variables name.

    Prefect read its settings when it was imported, those of ./.env too: a file elsewhere comes too late.
    """
    settings = {setting: environment[setting.name] for setting in SETTINGS if setting.name in environment}
    if not (settings.get(PREFECT_API_URL) or PREFECT_API_URL.value()):
        raise PrefectFailed(NO_API)  # Prefect would start a server that nobody else ever sees
    with ExitStack() as stack:
        try:
            if settings:
                stack.enter_context(temporary_settings(settings))
            stack.enter_context(SyncClientContext.get_or_create())
        except (HTTPError, InvalidURL, RuntimeError, ValueError) as error:
            raise PrefectFailed(_reason(error)) from None
        try:
            yield
        except HTTPError as error:
            raise PrefectFailed(_reason(error)) from None


def _reason(error: BaseException) -> str:
    """What happened; a URL may hold a password, and an answer what was sent: neither is shown."""
    if isinstance(error, RuntimeError) and error.__cause__:  # Prefect's "Failed to reach API" hides why
        error = error.__cause__
    if isinstance(error, HTTPStatusError):
        return _refusal(error.response.status_code)
    if isinstance(error, HTTPError | InvalidURL):
        what = type(error).__name__
        return f"Prefect's API does not answer ({what}): correct PREFECT_API_URL, or run it again"
    if isinstance(error, RuntimeError):  # versions that do not go together
        return str(error)
    return NO_API


def _refusal(status: int) -> str:
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return f"Prefect's API refuses ({status}): correct PREFECT_API_KEY (or PREFECT_API_AUTH_STRING)"
    if status == HTTPStatus.NOT_FOUND:
        return f"there is no Prefect API at PREFECT_API_URL ({status}): correct it"
    return f"Prefect's API fails ({status}): run it again"
