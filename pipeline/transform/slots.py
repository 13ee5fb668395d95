"""Which places of a playlist its pages fill: each exactly once, or the playlist is incomplete."""

from typing import Any

from pipeline.transform.pages import Page

ASKED = 50
"""Entries that each request after the first one asks for."""


class Slots:
    """Follows the pages of one playlist in the order of requests.

    `filled`: entries up to the end of the last page. `problem`: why the pages are not the whole playlist,
    even if they hold as many entries as were counted.
    """

    def __init__(self, total: int) -> None:
        self.total = total
        self.filled = 0
        self._pages = 0
        self.problem: str | None = None

    def take(self, page: Page[Any]) -> int:
        """Returns the number of entries before the page; a page without an offset follows the last one.

        A page without a limit has as many as were asked for. Only page one may hold more than its limit, as
        some servers send it, or none at all.
        """
        before = self.filled if page.offset is None else page.offset
        received, is_first = len(page.entries), not self._pages
        limit = page.limit or (received if is_first else ASKED)
        self._pages += 1
        if before > self.filled:
            self._note(f"entries {self.filled + 1:,} to {before:,} were not received")
        elif before < self.filled:
            self._note(f"entry {before + 1:,} was received twice")
        elif page.total is not None and page.total != self.total:
            self._note(f"Spotify counted {self.total:,} entries first and {page.total:,} later")
        elif received < limit and before + received < self.total and (received or not is_first):
            # A server that cuts the limit says so; one that leaves entries out does not say which.
            self._note(f"only {received:,} of {limit:,} entries were received after entry {before:,}")
        elif received > limit and not is_first:
            self._note(f"{received:,} instead of {limit:,} entries were received after entry {before:,}")
        self.filled = before + received
        return before

    @property
    def is_whole(self) -> bool:
        """Whether each place is filled once."""
        return self.problem is None and self.filled == self.total

    def _note(self, problem: str) -> None:
        self.problem = self.problem or problem
