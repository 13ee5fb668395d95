"""What is wrong with a block, without what it holds."""

from pydantic import ValidationError


class NotRegistered(Exception):
    """The blocks are as they were; says what to correct, never a value."""


def wrong_fields(error: ValidationError) -> str:
    """Which fields are wrong and why; the values, which pydantic would show, may be secrets."""
    found = error.errors(include_input=False, include_context=False, include_url=False)
    return "; ".join(f"{'.'.join(map(str, one['loc'])) or error.title}: {one['msg']}" for one in found)
