"""Checks that the pages of a playlist cover each of its entries exactly once."""

from typing import Any

from pipeline.transform.pages import Page

PAGE_SIZE = 50
"""Number of entries that each request after the first one requests."""


class Coverage:
    """Follows the pages of one playlist in the order of requests.

    `received`: offset after the last page, which is the number of entries so far. `problem`: the first gap,
    repetition or contradiction between pages, or None.
    """

    def __init__(self, total: int) -> None:
        self.total = total
        self.received = 0
        self.problem: str | None = None
        self._pages = 0

    def add(self, page: Page[Any]) -> int:
        """Checks the next page and returns its offset; a page without `offset` follows the one before.

        Every page except the last must hold `limit` entries, or PAGE_SIZE if it has no `limit`. The first
        page may hold more, or none: some servers send such pages.
        """
        offset = self.received if page.offset is None else page.offset
        count, is_first = len(page.entries), not self._pages
        limit = page.limit or (count if is_first else PAGE_SIZE)
        self._pages += 1
        if offset > self.received:
            self._note(f"entries {self.received + 1:,} to {offset:,} were not received")
        elif offset < self.received:
            self._note(f"entry {offset + 1:,} was received twice")
        elif page.total is not None and page.total != self.total:
            self._note(f"Spotify counted {self.total:,} entries first and {page.total:,} later")
        elif count < limit and offset + count < self.total and (count or not is_first):
            # A server that lowers the limit returns the new limit. With fewer entries, some are missing.
            self._note(f"only {count:,} of {limit:,} entries were received after entry {offset:,}")
        elif count > limit and not is_first:
            self._note(f"{count:,} instead of {limit:,} entries were received after entry {offset:,}")
        self.received = offset + count
        return offset

    @property
    def is_complete(self) -> bool:
        """True if each entry was received exactly once."""
        return self.problem is None and self.received == self.total

    def _note(self, problem: str) -> None:
        self.problem = self.problem or problem
