"""The app's rate limit in Prefect, which all runs share.

A Prefect API that fails or is silent slows a run down and never stops it.
"""

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable
from email.utils import parsedate_to_datetime
from threading import Lock
from time import time
from typing import TYPE_CHECKING, TypeVar

import httpx
from prefect.client.orchestration import get_client
from prefect.context import SettingsContext, get_settings_context
from prefect.exceptions import ObjectNotFound
from prefect.utilities.asyncutils import run_coro_as_sync

from pipeline.spotify.waits import SHORTEST_WAIT_S, Waits

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient
    from prefect.client.schemas.responses import GlobalConcurrencyLimitResponse

T = TypeVar("T")

log = logging.getLogger(__name__)

CALL_TIMEOUT_S = 10.0
"""For a whole call of Prefect's API; its client retries nothing meanwhile, because we do."""
MAX_FAILURES = 3
"""In a row; then the run stops asking."""
MAX_BATCH = 5
"""Slots that one call takes at most."""
OWN_INTERVAL_S = 1.0
"""Between the requests of all threads once the run no longer asks Prefect."""
MAX_SLOT_INTERVAL_S = 60.0
"""A limit that frees a slot less often than this is set up wrongly."""
PROGRESS_S = 60.0
"""Between two lines about the same wait, and the longest wait before the next call."""
REQUEST_TIMEOUT, LOCKED, TOO_MANY = 408, 423, 429


class RateLimit:
    """Slots of a rate limit, taken in batches; shared by the threads of a run."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._settings = _without_retries()
        self._lock = Lock()  # one thread asks or waits; the others wait for it
        self._limit: GlobalConcurrencyLimitResponse | None = None
        self._in_hand = 0
        self._failures = 0
        self._asks = True
        self._interval_s = 0.0
        self._next_at = 0.0

    def take(self, waits: Waits) -> None:
        """Waits for a slot; what calls that fail and Prefect's own 429s cost is charged to the budget."""
        with self._lock:
            if self._asks and not self._in_hand:
                self._refill(waits)
            if self._in_hand:
                self._in_hand -= 1
            elif self._interval_s:
                waits.sleep(self._next_at - waits.now())
                self._next_at = waits.now() + self._interval_s

    def _refill(self, waits: Waits) -> None:
        """Asks for slots as long as Prefect says to wait; after a failed call one request goes without."""
        began = told = waits.now()
        while self._asks and not self._in_hand:
            asked = waits.now()
            try:
                wait = self._ask(waits, asked)
            except Exception as error:  # noqa: BLE001 - whatever it is, requests do not depend on it
                self._failed(error, charged=waits.charge(asked))
                return
            if wait and waits.now() - told + wait > PROGRESS_S:
                told = waits.now()
                log.info("Waiting for a slot of the rate limit %r for %.0f s", self._name, told - began)
            if wait:
                waits.sleep(wait)

    def _ask(self, waits: Waits, asked: float) -> float:
        """Takes a batch of slots; otherwise returns the seconds to wait before the next call."""
        try:
            limit = self._limit = self._limit or self._call(
                lambda api: api.read_global_concurrency_limit_by_name(self._name)
            )
            if self._is_unusable(limit):
                return 0
            batch = min(MAX_BATCH, limit.limit)
            response = self._call(
                lambda api: api.increment_concurrency_slots([self._name], batch, "rate_limit")
            )
        except ObjectNotFound:
            self._missing()
        except httpx.HTTPStatusError as error:
            return self._refused(error.response, waits, asked)
        else:
            if response.json():
                self._in_hand, self._failures = batch, 0
            else:
                self._missing()
        return 0

    def _call(self, question: Callable[["PrefectClient"], Awaitable[T]]) -> T:
        """One call of Prefect's API; raises TimeoutError and what its client raises."""

        async def ask() -> T:
            hooks = {"response": [_raise_early]}
            with self._settings.model_copy():  # new settings would take 30 ms of CPU each time
                async with get_client(httpx_settings={"event_hooks": hooks}) as api:
                    return await question(api)

        async def bounded() -> T:
            return await asyncio.wait_for(ask(), CALL_TIMEOUT_S)

        return run_coro_as_sync(bounded())

    def _is_unusable(self, limit: "GlobalConcurrencyLimitResponse") -> bool:
        if not limit.active:
            log.info("The rate limit %r is switched off, so requests are not limited", self._name)
            self._asks = False
        elif not limit.limit:
            self._stop_asking(f"The rate limit {self._name!r} is 0, so it never has a slot", "--limit 10")
        elif not limit.slot_decay_per_second:
            self._stop_asking(f"The rate limit {self._name!r} has no slot decay, so it never frees a slot")
        return not self._asks

    def _refused(self, response: httpx.Response, waits: Waits, asked: float) -> float:
        """Seconds to wait if Prefect says so; raises the error of what counts as a failure."""
        wait = max(_retry_after(response), SHORTEST_WAIT_S)
        if response.status_code in (LOCKED, TOO_MANY):
            self._failures = 0  # the API works
        if response.status_code == LOCKED:
            decay = self._limit.slot_decay_per_second if self._limit else 0
            if decay * MAX_SLOT_INTERVAL_S >= 1:
                return min(wait, PROGRESS_S)
            self._stop_asking(
                f"The rate limit {self._name!r} is used up and frees a slot only every "
                f"{1 / decay if decay else 0:,.0f} s"
            )
            return 0
        if response.status_code == TOO_MANY:
            if waits.charge(asked, wait):
                return wait
            self._stop_asking(f"Prefect's API asks to wait {wait:,.0f} s before it gives a slot", None)
            return 0
        response.raise_for_status()
        return 0

    def _failed(self, error: Exception, *, charged: bool) -> None:
        self._failures += 1
        why = (
            f"HTTP {error.response.status_code}"
            if isinstance(error, httpx.HTTPStatusError)
            else type(error).__name__
        )
        log.info("Prefect gave no slot of the rate limit %r (%s)", self._name, why)
        if self._failures >= MAX_FAILURES or not charged:
            times = f"{self._failures} times in a row"
            self._stop_asking(
                f"Prefect's API gave no slot of the rate limit {self._name!r} ({why}), {times}", None
            )

    def _missing(self) -> None:
        self._asks = False
        log.warning(
            "There is no rate limit %r, so concurrent runs may exceed Spotify's rate. "
            "Create it: python -m blocks register",
            self._name,
        )

    def _stop_asking(self, problem: str, option: str | None = "--slot-decay-per-second 5") -> None:
        self._asks, self._interval_s = False, OWN_INTERVAL_S
        fix = f". Fix it: prefect gcl update {self._name} {option}" if option else ""
        log.warning(
            "%s. This run no longer asks for slots and sends one request per %g s; "
            "concurrent runs may exceed Spotify's rate%s",
            problem,
            OWN_INTERVAL_S,
            fix,
        )


def _without_retries() -> SettingsContext:
    """Settings with which Prefect's client retries nothing: it would for minutes, and count none of it."""
    current = get_settings_context()
    client = current.settings.client.model_copy(update={"max_retries": 0})
    settings = current.settings.model_copy(update={"client": client})  # copy_with_update validates all anew
    return SettingsContext(profile=current.profile, settings=settings)


async def _raise_early(response: httpx.Response) -> None:
    """Raises what Prefect's client would sleep over, even after its last retry (408, 429, 502, 503)."""
    if response.is_server_error or response.status_code in (TOO_MANY, REQUEST_TIMEOUT):
        response.raise_for_status()


def _retry_after(response: httpx.Response) -> float:
    """Seconds, from a number or a date (RFC 9110); 0 where there is neither, as with `nan` and `inf`."""
    header = response.headers.get("Retry-After", "")
    try:
        seconds = float(header)
        return max(seconds, 0.0) if math.isfinite(seconds) else 0.0
    except ValueError:
        pass
    try:
        return max(parsedate_to_datetime(header).timestamp() - time(), 0.0)
    except (ValueError, TypeError, OverflowError):
        return 0.0
