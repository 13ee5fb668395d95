"""Headless Chromium over the DevTools protocol: screenshots, requests and console messages of pages."""

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
RESPONSE_TIMEOUT_S = 60
MAX_START_LINES = 50
"""Lines of stderr in which Chromium must print its port."""
MAX_MESSAGE_BYTES = 100_000_000
"""A screenshot of a long page is one message."""
MAX_HEIGHT_PX = 16_000
"""Maximum height of a screenshot in Chromium."""

Scheme = Literal["light", "dark"]


class Tab:
    """One page. `events`: all events that Chromium reported."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._last = 0
        self.events: list[dict[str, Any]] = []
        for domain in ("Page", "Network", "Log", "Runtime"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> Any:  # noqa: ANN401 - any JSON
        """Sends a command; returns its result."""
        self._last += 1
        self._connection.send(json.dumps({"id": self._last, "method": method, "params": parameters}))
        while (message := self._receive()).get("id") != self._last:
            self.events.append(message)
        if "error" in message:
            raise RuntimeError(f"{method}: {message['error']['message']}")
        return message["result"]

    def open(self, url: str, width: int = 1280, scheme: Scheme = "light", height: int = 800) -> None:
        """Opens a page in a window of this size, and waits until it is loaded."""
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
        """Value of a JavaScript expression in the page, even if its policy forbids scripts."""
        return self.call("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def picture(self, *, whole: bool = True) -> bytes:
        """Screenshot as PNG: the complete page, or only the visible part."""
        clip = {}
        if whole:
            size = self.call("Page.getLayoutMetrics")["cssContentSize"]
            clip = {"clip": {**size, "height": min(size["height"], MAX_HEIGHT_PX), "scale": 1}}
        shown = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole, **clip)
        return base64.b64decode(shown["data"])

    def pdf(self) -> bytes:
        """The page, printed as PDF."""
        return base64.b64decode(self.call("Page.printToPDF", preferCSSPageSize=True)["data"])

    def requests(self) -> list[str]:
        """Requested URLs, the page itself first."""
        sent = [event for event in self.events if event["method"] == "Network.requestWillBeSent"]
        return [event["params"]["request"]["url"] for event in sent]

    def messages(self) -> list[str]:
        """Console messages: policy violations, errors, output of scripts."""
        kinds = ("Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown")
        return [json.dumps(event["params"]) for event in self.events if event["method"] in kinds]

    def _receive(self) -> dict[str, Any]:
        return dict(json.loads(self._connection.recv(timeout=RESPONSE_TIMEOUT_S)))


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
            process.communicate(timeout=RESPONSE_TIMEOUT_S)


def _tab_url(process: "subprocess.Popen[str]") -> str:
    """DevTools URL of the first tab, from the port that Chromium prints on stderr."""
    assert process.stderr  # noqa: S101 - it is a pipe
    for _ in range(MAX_START_LINES):
        if found := re.search(r"ws://([\d.:]+)/", process.stderr.readline()):
            return _first_tab(f"http://{found[1]}/json/list")
    raise RuntimeError("Chromium did not start")


def _first_tab(url: str) -> str:
    import requests  # noqa: PLC0415 - Tab has a method of the same name

    tabs = requests.get(url, timeout=RESPONSE_TIMEOUT_S).json()
    return next(str(tab["webSocketDebuggerUrl"]) for tab in tabs if tab["type"] == "page")
