"""`make bench`: every benchmark, as a table of ratios."""

import sys

from pipeline.markdown import markdown_table
from tests.bench import decoding, memory, reading, starting, views


def main() -> int:
    """Prints measured and allowed values; returns 1 if a measured value exceeds the allowed one."""
    rows = [
        {"what": what, "measured": found, "allowed": allowed}
        for part in (decoding, reading, starting, memory, views)
        for what, found, allowed in part.measure()
    ]
    sys.stdout.write(markdown_table(rows) + "\n")
    return int(any(float(row["measured"]) > float(row["allowed"]) for row in rows))


if __name__ == "__main__":
    sys.exit(main())
