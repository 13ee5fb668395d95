"""Parameter types of the flows, as the run form shows them, and error messages for wrong values."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Annotated, ClassVar

from cyclopts import Parameter
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

PLAYLIST_PATTERN = "(^ *|playlist[:/])[0-9A-Za-z]{22}([/?# ]|$)|^ *[Mm]ine *$"
"""Checked by the run form. Kept short, because the form shows it when it refuses a value; the run checks
values completely."""

Playlists = Annotated[
    list[Annotated[str, Field(json_schema_extra={"pattern": PLAYLIST_PATTERN})]],
    BeforeValidator(lambda value: [] if value is None else value),
]
"""None means an empty list. An optional type would need one more click on the run form."""
Minutes = Annotated[float, Field(gt=0, le=720, allow_inf_nan=False)]
"""Minutes, up to 12 hours."""
MaxHours = Annotated[float, Field(gt=0, le=24, allow_inf_nan=False)]
"""Hours, up to 24: push pools of Prefect Cloud stop runs after that."""
MAX_HOURS = 3.0


@Parameter(name="*")
class Group(BaseModel):
    """Settings that are one parameter on the run form, and one option each in a shell."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        extra="forbid",
        frozen=True,
        field_title_generator=lambda name, _: name,  # the same name as in --params and in messages
    )


class Limits(Group):
    """How long a run may take."""

    pipe_minutes: Minutes = Field(
        default=10,
        description="Maximum minutes that the run waits for the pipes to load its files. "
        "Only used with load `snowpipe`.",
    )
    max_hours: MaxHours = Field(
        default=MAX_HOURS,
        description="Maximum hours that the run may take. After that it stops and ends as Failed.",
    )


class ReportBlockNames(Group):
    """Names of the blocks that a report uses."""

    lake: str = Field(
        default="lake",
        description="S3Bucket block of the lake: raw snapshots, CSV files, receipts and reports.",
    )
    warehouse: str = Field(
        default="warehouse", description="SnowflakeConnector block of the warehouse: database and schema."
    )


class BlockNames(ReportBlockNames):
    """Names of the blocks that publishing uses."""

    warehouse_admin: str = Field(
        default="warehouse-admin",
        description="SnowflakeConnector block whose role may change the schema. If it does not exist, the "
        "run uses `warehouse`.",
    )


class IngestBlockNames(BlockNames):
    """Names of the blocks that an ingest uses."""

    spotify: str = Field(
        default="spotify", description="SpotifyCredentials block of the app that reads playlists."
    )


DATE_FORMAT = "must be a date, YYYY-MM-DD"
TIME_FORMAT = "must be a time, YYYY-MM-DD or YYYY-MM-DDTHH:MM:SS, in UTC if it has no time zone"
NUMBER_FORMAT = "must be a number"
FORMATS_BY_TYPE = {date: DATE_FORMAT, datetime: TIME_FORMAT, float: NUMBER_FORMAT}
FORMATS_BY_ERROR = {
    "date": DATE_FORMAT,
    "datetime": TIME_FORMAT,
    "float": NUMBER_FORMAT,
    "model": 'must be an object, {"name": value}',
}
"""Expected formats by the first word of pydantic's error type; more precise than pydantic's messages."""
MAX_QUOTED_CHARACTERS = 50
"""Characters of a wrong value that an error message quotes."""


def wrong_parameters(error: ValidationError, names: Sequence[str]) -> Iterator[str]:
    """One phrase per wrong parameter: its name, the expected format, and the given value.

    `names`: all parameter names in order, because pydantic reports a positional argument by its index.
    """
    for one in error.errors(include_context=False, include_url=False):
        first, *rest = one["loc"]
        name = names[first] if isinstance(first, int) else first
        path = ".".join(map(str, [name, *rest]))
        if one["type"] == "extra_forbidden":
            yield f"{path} does not exist: remove it"
        else:
            yield f"{path} {expected_format(one)}, not {repr(one['input'])[:MAX_QUOTED_CHARACTERS]}"


def expected_format(error: ErrorDetails) -> str:
    """The expected format, as a phrase that follows the parameter's name ("must be …")."""
    known = FORMATS_BY_ERROR.get(error["type"].split("_")[0])
    return known or error["msg"].replace("Input should", "must", 1)
