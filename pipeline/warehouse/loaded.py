"""What a load did; apart from the load itself, so that a receipt imports no Snowflake."""

from datetime import date

from msgspec import Struct


class Loaded(Struct, frozen=True):
    """What the load's transaction did.

    `partitions_replaced`: partitions of this run that had rows of another run; `partitions_deleted`: other
    partitions that refresh="full" removed. Both are None, not known, where COMMIT's answer was lost.
    """

    rows_by_table: dict[str, int] = {}
    partitions: list[tuple[str, date]] = []
    superseded: list[tuple[str, date]] = []
    partitions_replaced: int | None = 0
    partitions_deleted: int | None = 0
    statements: list[str] = []
