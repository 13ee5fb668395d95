"""Converts JSON values to the structs of `api_types`, field by field, and sets unusable fields to null.

msgspec rejects an entire struct because of one unusable field. This module reads the rules from the structs'
types and applies them field by field. A field without a default is required; any other field gets its default
if it is absent, and None if it is null or unusable.
"""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import Any, TypeVar

import msgspec
from msgspec import Struct
from msgspec import inspect as types

S = TypeVar("S", bound=Struct)
Convert = Callable[[Any, "Counter[str]", str], Any]
"""Converts the value at a path; raises Unusable."""

NUL = "nul_character"
LONE_SURROGATE = "lone_surrogate"


class Unusable(ValueError):
    """A value that is invalid for its field. The message contains the reason and the path."""


def decode_lenient(value: object, kind: type[S], nulled: Counter[str], path: str = "$") -> S:
    """Converts a JSON value to a struct. A float without a fraction is a whole number: 156923.0.

    Unusable values of fields with a default become None and are counted in `nulled` by path; unusable items
    of such a list are removed and counted. Raises Unusable if a required field is absent or unusable.
    """
    found: S = _struct(kind)(value, nulled, path)
    return found


_NAMES = {dict: "object", list: "array", str: "str", bool: "bool", int: "int", float: "float"}


def json_type(value: object) -> str:
    """Name of the value's type, as msgspec's messages spell it."""
    return _NAMES.get(type(value), "null")


def whole_number(value: object) -> object:
    """The value, as an int if it is a float without a fraction."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


@cache
def _struct(kind: type[Struct]) -> Convert:
    fields = [
        (field, _required(field.type) if field.required else _optional(field.type))
        for field in _info(kind).fields
    ]

    def convert(value: Any, nulled: Counter[str], path: str) -> Struct:  # noqa: ANN401 - any JSON value
        _expect(value, dict, path)
        found = {}
        for field, converted in fields:
            if field.encode_name in value:
                found[field.name] = converted(value[field.encode_name], nulled, f"{path}.{field.encode_name}")
            elif field.required:
                raise Unusable(f"Object missing required field `{field.encode_name}`{_at(path)}")
        return kind(**found)

    return convert


def _info(kind: type[Struct]) -> types.StructType:
    info = types.type_info(kind)
    if not isinstance(info, types.StructType):
        raise TypeError(f"{kind} is not a Struct")
    return info


def _optional(kind: types.Type) -> Convert:
    """Returns a converter that counts an unusable value and returns None for it."""
    if not isinstance(kind, types.UnionType):
        return _required(kind)
    (inner,) = [one for one in kind.types if not isinstance(one, types.NoneType)]
    convert = _usable_items(inner) if isinstance(inner, types.ListType) else _required(inner)

    def converted(value: Any, nulled: Counter[str], path: str) -> Any:  # noqa: ANN401 - any JSON value
        if value is None:
            return None
        try:
            return convert(value, nulled, path)
        except Unusable:
            nulled[path] += 1
            return None

    return converted


def _required(kind: types.Type) -> Convert:
    if isinstance(kind, types.StructType):
        return _struct(kind.cls)
    if isinstance(kind, types.ListType):
        return _all_items(kind)
    scalar = SCALARS[type(kind)]
    return lambda value, _nulled, path: scalar(value, kind, path)


def _all_items(kind: types.ListType) -> Convert:
    convert = _required(kind.item_type)

    def converted(value: Any, nulled: Counter[str], path: str) -> list[Any]:  # noqa: ANN401 - any JSON value
        _expect(value, list, path)
        if len(value) < (kind.min_length or 0):
            raise Unusable(f"Expected `array` of length >= {kind.min_length}{_at(path)}")
        return [convert(item, nulled, f"{path}[{index}]") for index, item in enumerate(value)]

    return converted


def _usable_items(kind: types.ListType) -> Convert:
    convert = _required(kind.item_type)

    def converted(value: Any, nulled: Counter[str], path: str) -> list[Any]:  # noqa: ANN401 - any JSON value
        usable = []
        for index, item in enumerate(_expect(value, list, path)):
            try:
                usable.append(convert(item, nulled, f"{path}[{index}]"))
            except Unusable:
                nulled[path] += 1
        return usable

    return converted


def _expect(value: Any, kind: type, path: str) -> Any:  # noqa: ANN401 - any JSON value
    if type(value) is kind:
        return value
    raise Unusable(f"Expected `{_NAMES[kind]}`, got `{json_type(value)}`{_at(path)}")


def _at(path: str) -> str:
    return "" if path == "$" else f" - at `{path}`"


def _text(value: object, kind: types.StrType, path: str) -> str:
    text: str = _expect(value, str, path)
    if len(text) < (kind.min_length or 0):
        raise Unusable(f"Expected `str` of length >= {kind.min_length}{_at(path)}")
    if kind.max_length is not None and len(text) > kind.max_length:
        raise Unusable(f"Expected `str` of length <= {kind.max_length}{_at(path)}")
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise Unusable(LONE_SURROGATE)
    # The effect of U+0000 in COPY is not documented; users report that Snowflake drops it silently.
    if "\0" in text:
        raise Unusable(NUL)
    return text


def _whole(value: object, kind: types.IntType, path: str) -> int:
    number: int = _expect(whole_number(value), int, path)
    if kind.ge is not None and number < kind.ge:
        raise Unusable(f"Expected `int` >= {kind.ge}{_at(path)}")
    if kind.le is not None and number > kind.le:
        raise Unusable(f"Expected `int` <= {kind.le}{_at(path)}")
    return number


def _flag(value: object, _kind: types.BoolType, path: str) -> bool:
    flag: bool = _expect(value, bool, path)
    return flag


def _time(value: object, _kind: types.DateTimeType, path: str) -> datetime:
    try:
        time = msgspec.convert(_expect(value, str, path), datetime)
        return time if time.tzinfo else time.replace(tzinfo=UTC)
    except ValueError as error:
        raise Unusable(f"{error}{_at(path)}") from None


SCALARS: dict[type[types.Type], Callable[[Any, Any, str], Any]] = {
    types.StrType: _text,
    types.IntType: _whole,
    types.BoolType: _flag,
    types.DateTimeType: _time,
    types.AnyType: lambda value, _kind, _path: value,
}
"""Converters of the types that contain no other type."""
