"""What is wrong with parameters, in words that name the right form."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime

from pydantic import ValidationError
from pydantic_core import ErrorDetails

DATE_FORM = "must be a date, YYYY-MM-DD"
TIME_FORM = "must be a time, YYYY-MM-DD or YYYY-MM-DDTHH:MM:SS, in UTC unless it names a zone"
NUMBER_FORM = "must be a number"
FORMS = {date: DATE_FORM, datetime: TIME_FORM, float: NUMBER_FORM}
"""By type; what a shell or a run form takes as text."""
LONGEST_VALUE = 50
"""Characters of a wrong value that a message quotes."""


def wrong_parameters(error: ValidationError, names: Sequence[str]) -> Iterator[str]:
    """A phrase for each wrong parameter: its name, the right form, and the value given.

    `names`: of all parameters in order, for pydantic calls one that was given by position by its index.
    """
    for one in error.errors(include_context=False, include_url=False):
        first, *rest = one["loc"]
        name = names[first] if isinstance(first, int) else first
        yield f"{'.'.join(map(str, [name, *rest]))} {form(one)}, not {repr(one['input'])[:LONGEST_VALUE]}"


def form(error: ErrorDetails) -> str:
    """What a value must be, to follow the name of its parameter."""
    kind = error["type"].split("_")[0]
    known = {"date": DATE_FORM, "datetime": TIME_FORM}
    return known.get(kind) or error["msg"].replace("Input should", "must", 1)
