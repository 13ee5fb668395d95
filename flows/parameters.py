"""What is wrong with parameters, in words that name the right form."""

from collections.abc import Iterator

from pydantic import ValidationError
from pydantic_core import ErrorDetails

DATE_FORM = "must be a date, YYYY-MM-DD"
LONGEST_VALUE = 50
"""Characters of a wrong value that a message quotes."""


def wrong_parameters(error: ValidationError) -> Iterator[str]:
    """A phrase for each wrong parameter: its name, the right form, and the value given."""
    for one in error.errors(include_context=False, include_url=False):
        yield f"{'.'.join(map(str, one['loc']))} {form(one)}, not {repr(one['input'])[:LONGEST_VALUE]}"


def form(error: ErrorDetails) -> str:
    """What a value must be, to follow the name of its parameter."""
    return DATE_FORM if error["type"].startswith("date") else error["msg"].replace("Input should", "must", 1)
