"""The Prefect variable `daily_playlists`: the list of a run that is started without playlists."""

import json
import logging
from json import JSONDecodeError
from typing import Any

from prefect import task
from prefect.variables import Variable
from pydantic import ValidationError

from flows.prefect_errors import prefect_errors, unavailable
from flows.tasks import RETRIES
from pipeline.errors import Code, ConfigurationError
from pipeline.spotify.links import wanted_playlists

log = logging.getLogger(__name__)

VARIABLE = "daily_playlists"
HOW_TO_SET = f"""prefect variable set {VARIABLE} '["<playlist>", "<playlist>"]' --overwrite"""
MAX_QUOTED_CHARACTERS = 100
"""Characters of a wrong value that an error message quotes."""


@task(**RETRIES)
def read_daily_playlists() -> list[str]:
    """Playlist ids, and the word `mine`. Raises ConfigurationError if it is not set, empty or malformed."""
    try:
        with prefect_errors():
            value = Variable.get(VARIABLE)
    except (JSONDecodeError, ValidationError) as error:  # an unreadable response of Prefect's API
        raise unavailable(error) from None
    names = daily_playlists(value)
    log.info("%s playlists in the Prefect variable %s: %s", len(names), VARIABLE, ", ".join(names))
    return names


def daily_playlists(value: Any) -> list[str]:  # noqa: ANN401 - any JSON value
    """Playlist ids, and the word `mine`, from the variable's value: a list, or a list as JSON text."""
    names = _decoded(value) if isinstance(value, str) else value
    if names in (None, "", []):
        message = (
            f"no playlist was given, and the Prefect variable {VARIABLE} is not set or empty. Enter "
            f"playlists, or set the variable: {HOW_TO_SET}. Nothing was requested"
        )
        raise ConfigurationError(message, Code.PLAYLISTS_EMPTY)
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        message = (
            f"the Prefect variable {VARIABLE} is {repr(value)[:MAX_QUOTED_CHARACTERS]}, not a list of "
            f"strings. Set it: {HOW_TO_SET}. Nothing was requested"
        )
        raise ConfigurationError(message, Code.DAILY_PLAYLISTS_INVALID)
    try:
        return wanted_playlists(names)
    except ConfigurationError as error:
        raise ConfigurationError(f"Prefect variable {VARIABLE}: {error.message}", error.code) from None


def _decoded(text: str) -> Any:  # noqa: ANN401 - any JSON value
    """The decoded value, because Prefect's UI may store JSON text; text that is not JSON is unchanged."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
