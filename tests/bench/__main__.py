"""`make bench`: every benchmark, as a table of ratios."""

import sys

from pipeline.markdown import markdown_table
from tests.bench import decoding, memory, reading, starting, views


def main() -> int:
    """Prints what was measured beside what is allowed; the exit status is 1 where that is exceeded."""
    rows = [
        {"what": what, "measured": found, "allowed": most}
        for part in (decoding, reading, starting, memory, views)
        for what, found, most in part.measure()
    ]
    sys.stdout.write(markdown_table(rows) + "\n")
    return int(any(float(row["measured"]) > float(row["allowed"]) for row in rows))


if __name__ == "__main__":
    sys.exit(main())
