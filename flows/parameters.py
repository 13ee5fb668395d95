"""Parameters of the flows: their types on the run form, and messages for wrong values."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Annotated, ClassVar

from cyclopts import Parameter
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

PLAYLIST_PATTERN = "(^ *|playlist[:/])[0-9A-Za-z]{22}([/?# ]|$)|^ *[Mm]ine *$"
"""Checked by the run form, which shows the pattern if it refuses a value: so it is short. The run checks the
rest."""

Playlists = Annotated[
    list[Annotated[str, Field(json_schema_extra={"pattern": PLAYLIST_PATTERN})]],
    BeforeValidator(lambda value: [] if value is None else value),
]
"""None means an empty list. With an optional type, the form would need one more click to add a playlist."""
Minutes = Annotated[float, Field(gt=0, le=720, allow_inf_nan=False)]
"""At most 12 hours; `max_hours` ends the run in any case."""
MaxHours = Annotated[float, Field(gt=0, le=24, allow_inf_nan=False)]
"""Push pools of Prefect Cloud end runs after 24 hours."""
MAX_HOURS = 3.0


@Parameter(name="*")
class Group(BaseModel):
    """Settings that the run form shows as one parameter; in a shell each of them is an option."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        extra="forbid",
        frozen=True,
        field_title_generator=lambda name, _: name,  # as --params and messages name it
    )


class Limits(Group):
    """How long a run may take."""

    pipe_minutes: Minutes = Field(
        default=10, description="With `snowpipe`: maximum minutes that the run waits for the pipes."
    )
    max_hours: MaxHours = Field(
        default=MAX_HOURS,
        description="Maximum hours. After that the run stops, whatever it is waiting for, and ends as "
        "Failed.",
    )


class ReportBlockNames(Group):
    """Names of the blocks that say what a report reads, and where it is written."""

    lake: str = Field(
        default="lake",
        description="S3Bucket block of the lake: kept responses, CSV files, receipts, reports.",
    )
    warehouse: str = Field(default="warehouse", description="SnowflakeConnector block of the warehouse.")


class BlockNames(ReportBlockNames):
    """Names of the blocks that say where a run publishes."""

    warehouse_admin: str = Field(
        default="warehouse-admin",
        description="SnowflakeConnector block with the role that may change the schema. If it does not "
        "exist, `warehouse` is used.",
    )


class IngestBlockNames(BlockNames):
    """Block names of an ingest, which also reads from Spotify."""

    spotify: str = Field(
        default="spotify", description="SpotifyCredentials block of the app that reads playlists."
    )


DATE_FORM = "must be a date, YYYY-MM-DD"
TIME_FORM = "must be a time, YYYY-MM-DD or YYYY-MM-DDTHH:MM:SS, in UTC unless it names a zone"
NUMBER_FORM = "must be a number"
FORMS = {date: DATE_FORM, datetime: TIME_FORM, float: NUMBER_FORM}
"""Right form of a value that is typed as text, by type."""
KNOWN_ERRORS = {
    "date": DATE_FORM,
    "datetime": TIME_FORM,
    "float": NUMBER_FORM,
    "model": 'must be an object, {"name": value}',
}
"""Right form by the first word of pydantic's error type; pydantic's own messages are less precise."""
MAX_QUOTED_CHARACTERS = 50
"""Of a wrong value, in a message."""


def wrong_parameters(error: ValidationError, names: Sequence[str]) -> Iterator[str]:
    """A phrase for each wrong parameter: its name, the right form, and the value given.

    `names`: the names of all parameters in order, because pydantic names a positional argument by its index.
    """
    for one in error.errors(include_context=False, include_url=False):
        first, *rest = one["loc"]
        name = names[first] if isinstance(first, int) else first
        path = ".".join(map(str, [name, *rest]))
        if one["type"] == "extra_forbidden":
            yield f"{path} does not exist: leave it out"
        else:
            yield f"{path} {form(one)}, not {repr(one['input'])[:MAX_QUOTED_CHARACTERS]}"


def form(error: ErrorDetails) -> str:
    """The right form, as a predicate that follows the parameter's name ("must be …")."""
    known = KNOWN_ERRORS.get(error["type"].split("_")[0])
    return known or error["msg"].replace("Input should", "must", 1)
