"""Lines of checks as text, as JSON, and in one sentence."""

import json
from collections.abc import Sequence

from msgspec import to_builtins

from pipeline.preflight.checks import Line

SHOWN = 3
"""Number of red checks whose text is part of the run's message."""


def lines_as_json(lines: Sequence[Line]) -> str:
    """`{"red": 1, "checks": [{"check": …, "status": …, "text": …}]}`."""
    red = sum(line.is_red for line in lines)
    return json.dumps({"red": red, "checks": to_builtins(lines)}, ensure_ascii=False, indent=1) + "\n"


def lines_as_text(lines: Sequence[Line]) -> str:
    """One line per check: status, name, text."""
    width = max(len(line.check) for line in lines)
    return "".join(f"{line.status:8} {line.check:{width}}  {line.text}\n" for line in lines)


def counted(lines: Sequence[Line]) -> str:
    """`57 checks, all ok`, or how many are red and how many skipped."""
    red = sum(line.is_red for line in lines)
    skipped = sum(line.status == "skipped" for line in lines)
    if not red:
        return f"{len(lines)} checks, {f'none red, {skipped} skipped' if skipped else 'all ok'}"
    left = f", {skipped} skipped" if skipped else ""
    return f"{red} of {len(lines)} checks {'are' if red > 1 else 'is'} red{left}"


def checks_summary(lines: Sequence[Line]) -> str:
    """The run's message: how many checks are red, and the first of them in full."""
    red = [line for line in lines if line.is_red]
    if not red:
        return counted(lines)
    first = "; ".join(f"{line.check}: {line.text}" for line in red[:SHOWN])
    more = f"; and {len(red) - SHOWN} more" if len(red) > SHOWN else ""
    return f"{counted(lines)}. {first}{more}"
