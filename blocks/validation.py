"""Errors of block values, without the values, which may be secrets."""

from pydantic import ValidationError


class NotRegistered(Exception):
    """The blocks were not written. The message states what to correct, never a value."""


def wrong_fields(error: ValidationError) -> str:
    """The wrong fields with pydantic's reasons, without the values, which may be secrets."""
    found = error.errors(include_input=False, include_context=False, include_url=False)
    return "; ".join(f"{'.'.join(map(str, one['loc'])) or error.title}: {one['msg']}" for one in found)
