"""Rate limit of a Spotify app: a global concurrency limit in Prefect that all runs share.

If Prefect's API fails or does not respond, the run slows down but does not stop.
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
"""Time limit of a call to Prefect's API. Its client does not retry within that time, because we do."""
MAX_CONSECUTIVE_FAILURES = 3
"""Failed calls in a row, after which the run no longer uses the rate limit."""
MAX_BATCH_SLOTS = 5
"""Slots that one call takes."""
FALLBACK_INTERVAL_S = 1.0
"""Interval between the requests of all threads, if the run no longer uses the rate limit."""
MAX_SLOT_INTERVAL_S = 60.0
"""A limit that frees slots less often is misconfigured."""
PROGRESS_INTERVAL_S = 60.0
"""Interval between progress lines about the same wait; also the maximum wait before the next call."""
REQUEST_TIMEOUT, LOCKED, TOO_MANY = 408, 423, 429


class RateLimit:
    """Slots of a rate limit, taken in batches; shared by the threads of a run."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._settings = _without_retries()
        self._lock = Lock()  # only one thread calls Prefect or waits for a slot; the others wait for it
        self._limit: GlobalConcurrencyLimitResponse | None = None
        self._slots = 0
        self._failures = 0
        self._is_used = True
        self._interval_s = 0.0
        self._next_at = 0.0

    def take(self, waits: Waits) -> None:
        """Waits for a slot. Failed calls and 429 responses of Prefect are charged to the wait budget."""
        with self._lock:
            if self._is_used and not self._slots:
                self._refill(waits)
            if self._slots:
                self._slots -= 1
            elif self._interval_s:
                waits.sleep(self._next_at - waits.now())
                self._next_at = waits.now() + self._interval_s

    def _refill(self, waits: Waits) -> None:
        """Requests slots until Prefect grants a batch. After a failed call, one request needs no slot."""
        started = logged = waits.now()
        while self._is_used and not self._slots:
            called = waits.now()
            try:
                wait = self._take_batch(waits, called)
            except Exception as error:  # noqa: BLE001 - requests to Spotify do not depend on Prefect's API
                self._failed(error, charged=waits.charge(called))
                return
            if wait and waits.now() - logged + wait > PROGRESS_INTERVAL_S:
                logged = waits.now()
                log.info("Waiting for a slot of the rate limit %r for %.0f s", self._name, logged - started)
            if wait:
                waits.sleep(wait)

    def _take_batch(self, waits: Waits, called: float) -> float:
        """Takes a batch of slots; otherwise returns the seconds to wait before the next call."""
        try:
            limit = self._limit = self._limit or self._call(
                lambda api: api.read_global_concurrency_limit_by_name(self._name)
            )
            if self._is_unusable(limit):
                return 0
            batch = min(MAX_BATCH_SLOTS, limit.limit)
            response = self._call(
                lambda api: api.increment_concurrency_slots([self._name], batch, "rate_limit")
            )
        except ObjectNotFound:
            self._missing()
        except httpx.HTTPStatusError as error:
            return self._refused(error.response, waits, called)
        else:
            if response.json():
                self._slots, self._failures = batch, 0
            else:
                self._missing()
        return 0

    def _call(self, request: Callable[["PrefectClient"], Awaitable[T]]) -> T:
        """Calls Prefect's API once; raises TimeoutError and the errors of its client."""

        async def send() -> T:
            hooks = {"response": [_raise_early]}
            with self._settings.model_copy():  # creating settings takes 30 ms of CPU
                async with get_client(httpx_settings={"event_hooks": hooks}) as api:
                    return await request(api)

        async def bounded() -> T:
            return await asyncio.wait_for(send(), CALL_TIMEOUT_S)

        return run_coro_as_sync(bounded())

    def _is_unusable(self, limit: "GlobalConcurrencyLimitResponse") -> bool:
        if not limit.active:
            log.info("The rate limit %r is switched off, so requests are not limited", self._name)
            self._is_used = False
        elif not limit.limit:
            self._stop_using(f"The rate limit {self._name!r} is 0, so it never has a slot", "--limit 10")
        elif not limit.slot_decay_per_second:
            self._stop_using(f"The rate limit {self._name!r} has no slot decay, so it never frees a slot")
        return not self._is_used

    def _refused(self, response: httpx.Response, waits: Waits, called: float) -> float:
        """Seconds to wait before the next call; raises if the response counts as a failure."""
        wait = max(_retry_after(response), SHORTEST_WAIT_S)
        if response.status_code in (LOCKED, TOO_MANY):
            self._failures = 0  # the API works
        if response.status_code == LOCKED:
            decay = self._limit.slot_decay_per_second if self._limit else 0
            if decay * MAX_SLOT_INTERVAL_S >= 1:
                return min(wait, PROGRESS_INTERVAL_S)
            self._stop_using(
                f"The rate limit {self._name!r} is used up and frees a slot only every "
                f"{1 / decay if decay else 0:,.0f} s"
            )
            return 0
        if response.status_code == TOO_MANY:
            if waits.charge(called, wait):
                return wait
            self._stop_using(f"Prefect's API requires a wait of {wait:,.0f} s for a slot", None)
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
        log.info("Prefect's API granted no slot of the rate limit %r (%s)", self._name, why)
        if self._failures >= MAX_CONSECUTIVE_FAILURES or not charged:
            times = f"{self._failures} times in a row"
            self._stop_using(
                f"Prefect's API granted no slot of the rate limit {self._name!r} ({why}), {times}", None
            )

    def _missing(self) -> None:
        self._is_used = False
        log.warning(
            "There is no rate limit %r, so concurrent runs may exceed Spotify's rate. "
            "Create it: python -m blocks register",
            self._name,
        )

    def _stop_using(self, problem: str, option: str | None = "--slot-decay-per-second 5") -> None:
        self._is_used, self._interval_s = False, FALLBACK_INTERVAL_S
        fix = f". Fix it: prefect gcl update {self._name} {option}" if option else ""
        log.warning(
            "%s. This run no longer uses the rate limit and sends one request per %g s; "
            "concurrent runs may exceed Spotify's rate%s",
            problem,
            FALLBACK_INTERVAL_S,
            fix,
        )


def _without_retries() -> SettingsContext:
    """Settings without retries in Prefect's client, which would take minutes outside our wait budget."""
    current = get_settings_context()
    client = current.settings.client.model_copy(update={"max_retries": 0})
    # Not copy_with_update, which validates all settings again.
    settings = current.settings.model_copy(update={"client": client})
    return SettingsContext(profile=current.profile, settings=settings)


async def _raise_early(response: httpx.Response) -> None:
    """Raises for 408, 429 and 5xx: Prefect's client would sleep, even after its last retry."""
    if response.is_server_error or response.status_code in (TOO_MANY, REQUEST_TIMEOUT):
        response.raise_for_status()


def _retry_after(response: httpx.Response) -> float:
    """Seconds, from a number or a date (RFC 9110); 0 for anything else, `nan` and `inf` included."""
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
