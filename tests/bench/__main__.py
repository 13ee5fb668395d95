"""`make bench`: every benchmark, as a table of ratios."""

import sys

from flows.receipt import markdown_table
from tests.bench import reading


def main() -> None:
    """Prints what was measured beside what is allowed."""
    rows = [{"what": what, "measured": found, "allowed": most} for what, found, most in reading.measure()]
    sys.stdout.write(markdown_table(rows) + "\n")


if __name__ == "__main__":
    main()
