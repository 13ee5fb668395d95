"""/sandbox: settings, faults and request log, for tests and people; Spotify has no such endpoints."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.spotify.faults import Fault
from sandbox.spotify.limits import Limits
from sandbox.spotify.middleware import Script
from sandbox.spotify.web_api import WebApi, as_json


@dataclass
class Controls:
    """The routes under /sandbox."""

    api: WebApi
    script: Script
    limits: Limits
    clock: Callable[[], date] = field(init=False)

    def __post_init__(self) -> None:
        self.clock = self.api.today

    def routes(self) -> list[Route]:
        """Returns the routes."""
        return [
            Route("/sandbox/playlists", self.playlists),
            Route("/sandbox/requests", self.requests, methods=["GET", "DELETE"]),
            Route("/sandbox/today", self.today, methods=["PUT"]),
            Route("/sandbox/settings", self.settings, methods=["GET", "PATCH"]),
            Route("/sandbox/faults", self.faults, methods=["GET", "PUT"]),
            Route("/sandbox/tokens", self.tokens, methods=["DELETE"]),
        ]

    async def playlists(self, _request: Request) -> Response:
        """GET returns the playlists served, id → name."""
        return JSONResponse(self.api.source.listing(self.api.settings.app_class))

    async def requests(self, request: Request) -> Response:
        """GET returns the requests since the start or the last DELETE."""
        if request.method == "DELETE":
            self.script.requests.clear()
        return JSONResponse(self.script.log())

    async def today(self, request: Request) -> Response:
        """PUT {"date": "2026-11-21"} sets a fixed date, {"days": 2} a date two days ahead of the clock.

        {"date": null} resets it to the clock.
        """
        try:
            calendar = self._calendar(json.loads(await request.body()))
            calendar()
        except (ValueError, KeyError, TypeError, OverflowError) as error:
            return JSONResponse({"error": f"invalid date: {error}"}, 400)
        self.api.today = calendar
        return JSONResponse({"date": self.api.today().isoformat()})

    def _calendar(self, wanted: dict[str, Any]) -> Callable[[], date]:
        if "days" in wanted:
            ahead = timedelta(wanted["days"])
            return lambda: self.clock() + ahead
        chosen = wanted["date"]
        fixed = None if chosen is None else date.fromisoformat(chosen)
        return self.clock if fixed is None else lambda: fixed

    async def settings(self, request: Request) -> Response:
        """PATCH changes some settings, GET returns all; a changed limit counts from now."""
        if request.method == "PATCH":
            try:
                wanted = msgspec.json.decode(await request.body(), type=dict[str, object])
                self.api.settings.change(wanted)
            except msgspec.DecodeError as error:
                return JSONResponse({"error": str(error)}, 400)
            if {"window", "quota"} & set(wanted):
                self.limits.restart()
        return as_json(msgspec.json.encode(self.api.settings))

    async def faults(self, request: Request) -> Response:
        """PUT replaces the list of faults; GET returns the faults with their counts."""
        if request.method == "PUT":
            try:
                self.script.faults = msgspec.json.decode(await request.body(), type=list[Fault])
            except (msgspec.DecodeError, re.error) as error:
                return JSONResponse({"error": str(error)}, 400)
        return as_json(msgspec.json.encode(self.script.faults))

    async def tokens(self, _request: Request) -> Response:
        """DELETE expires every access token issued so far."""
        self.api.accounts.expire_all()
        return Response(status_code=204)
