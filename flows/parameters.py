"""What is wrong with parameters, in words that name the right form."""

from collections.abc import Iterator

from pydantic import ValidationError

DATE_FORM = "must be a date, YYYY-MM-DD"
LONGEST_VALUE = 50
"""Characters of a wrong value that a message quotes."""


def wrong_parameters(error: ValidationError) -> Iterator[str]:
    """A phrase for each wrong parameter: its name, the right form, and the value given."""
    for one in error.errors(include_context=False, include_url=False):
        name = ".".join(map(str, one["loc"]))
        form = DATE_FORM if one["type"].startswith("date") else one["msg"].replace("Input should", "must", 1)
        yield f"{name} {form}, not {repr(one['input'])[:LONGEST_VALUE]}"
