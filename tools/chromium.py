"""Chromium without a window, over its DevTools protocol: pictures of pages, what they ask for and say."""

import base64
import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory
from typing import Any, Literal

from websockets.sync.client import connect
from websockets.sync.connection import Connection

PROGRAM = which("chromium") or which("chromium-browser") or which("google-chrome")
OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-sync",
    "--hide-scrollbars",
    "--force-device-scale-factor=1",
    "--remote-debugging-port=0",
)
ANSWER_S = 60
START_LINES = 50
MAX_MESSAGE_BYTES = 100_000_000
"""A picture of a long page comes as one message."""
TALLEST = 16_000
"""Pixels of a picture; Chromium draws no more."""

Scheme = Literal["light", "dark"]


class Tab:
    """One page. `events`: all that Chromium has reported about it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._last = 0
        self.events: list[dict[str, Any]] = []
        for domain in ("Page", "Network", "Log", "Runtime"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> Any:  # noqa: ANN401 - any JSON
        """The result of a command."""
        self._last += 1
        self._connection.send(json.dumps({"id": self._last, "method": method, "params": parameters}))
        while (message := self._receive()).get("id") != self._last:
            self.events.append(message)
        if "error" in message:
            raise RuntimeError(f"{method}: {message['error']['message']}")
        return message["result"]

    def open(self, url: str, width: int = 1280, scheme: Scheme = "light", height: int = 800) -> None:
        """Loads a page at a width, and waits until it is there."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.call("Emulation.setEmulatedMedia", features=features)
        seen = len(self.events)
        self.call("Page.navigate", url=url)
        while not any(event["method"] == "Page.loadEventFired" for event in self.events[seen:]):
            self.events.append(self._receive())

    def evaluate(self, expression: str) -> Any:  # noqa: ANN401 - any JSON
        """Value of a JavaScript expression in the page, whatever its policy says about scripts."""
        return self.call("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def picture(self, *, whole: bool = True) -> bytes:
        """The page as PNG: all of it, or what a window shows."""
        clip = {}
        if whole:
            size = self.call("Page.getLayoutMetrics")["cssContentSize"]
            clip = {"clip": {**size, "height": min(size["height"], TALLEST), "scale": 1}}
        shown = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole, **clip)
        return base64.b64decode(shown["data"])

    def pdf(self) -> bytes:
        """The page as it is printed."""
        return base64.b64decode(self.call("Page.printToPDF", preferCSSPageSize=True)["data"])

    def requests(self) -> list[str]:
        """URLs that were asked for, the page's own first."""
        sent = [event for event in self.events if event["method"] == "Network.requestWillBeSent"]
        return [event["params"]["request"]["url"] for event in sent]

    def messages(self) -> list[str]:
        """What the console shows: violations of the page's policy, errors, output of scripts."""
        kinds = ("Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown")
        return [json.dumps(event["params"]) for event in self.events if event["method"] in kinds]

    def _receive(self) -> dict[str, Any]:
        return dict(json.loads(self._connection.recv(timeout=ANSWER_S)))


@contextmanager
def chromium() -> Iterator[Tab]:
    """A new Chromium with one empty tab."""
    if PROGRAM is None:
        raise FileNotFoundError("There is no Chromium on this machine. Install it, for example with apt-get")
    with TemporaryDirectory(prefix="chromium-") as home:
        command = [PROGRAM, *OPTIONS, f"--user-data-dir={Path(home) / 'profile'}", "about:blank"]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        try:
            with connect(_tab_url(process), max_size=MAX_MESSAGE_BYTES) as connection:
                yield Tab(connection)
        finally:
            process.terminate()
            process.communicate(timeout=ANSWER_S)


def _tab_url(process: "subprocess.Popen[str]") -> str:
    """Address of the first tab; Chromium prints its port on stderr."""
    assert process.stderr  # noqa: S101 - it is a pipe
    for _ in range(START_LINES):
        if found := re.search(r"ws://([\d.:]+)/", process.stderr.readline()):
            return _first_tab(f"http://{found[1]}/json/list")
    raise RuntimeError("Chromium did not start")


def _first_tab(url: str) -> str:
    import requests  # noqa: PLC0415 - beside the method of that name

    tabs = requests.get(url, timeout=ANSWER_S).json()
    return next(str(tab["webSocketDebuggerUrl"]) for tab in tabs if tab["type"] == "page")
