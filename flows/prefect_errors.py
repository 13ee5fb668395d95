"""Errors of Prefect's API as errors of the run.

Messages contain only status and address: requests hold the API key, and responses may repeat them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from httpx import HTTPError, HTTPStatusError
from prefect.settings import PREFECT_API_URL

from blocks.prefect_api import reason
from flows.deadline import OutOfTime
from pipeline.errors import Code, ConfigurationError, PipelineError, Transient
from pipeline.threads import Unfinished


def unavailable(error: Exception) -> PipelineError:
    """ConfigurationError if Prefect's API refused the request (4xx), else Transient."""
    message = reason(error, PREFECT_API_URL.value() or "").partition("\n")[0]
    status = error.response.status_code if isinstance(error, HTTPStatusError) else 0
    refused = HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR
    passing = status in {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS}
    kind = ConfigurationError if refused and not passing else Transient
    return kind(message, Code.PREFECT_UNAVAILABLE)


def cause(error: BaseException, seconds: float) -> str:
    """Reason of an error that only causes a warning; quotes no response. `seconds`: its time limit."""
    if isinstance(error, PipelineError):
        slow = error.code == Code.SNOWFLAKE_SLOW  # its message advises on a different timeout
        return "a query took too long" if slow else error.message
    if isinstance(error, HTTPError):
        return unavailable(error).message
    if isinstance(error, Unfinished):
        return f"it took more than {seconds:g} s"
    return "max_hours was reached" if isinstance(error, OutOfTime) else type(error).__name__


@contextmanager
def prefect_errors() -> Iterator[None]:
    """Replaces errors of httpx, which only Prefect's client uses, by Transient or ConfigurationError."""
    try:
        yield
    except HTTPError as error:
        raise unavailable(error) from None
