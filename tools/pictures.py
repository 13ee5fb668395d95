"""`python -m tools.pictures REPORT FOLDER`: screenshots for the README, from the report of `make demo`."""

import base64
import sys
from pathlib import Path

from tools.chromium import Tab, chromium

WIDTH = 1120
HEIGHTS = {"report": ("p1", 900), "report-chart": ("p2", 1060)}
"""By picture: id of the report's section that it shows, and height in pixels."""
MARGIN = 24


def main(report: Path, folder: Path) -> int:
    """Writes the pictures and prints their paths."""
    with chromium() as tab:
        tab.open(report.resolve().as_uri(), WIDTH)
        for name, (part, height) in HEIGHTS.items():
            file = folder / f"{name}.png"
            file.write_bytes(_picture(tab, part, height))
            sys.stdout.write(f"{file}\n")
    return 0


def _picture(tab: Tab, part: str, height: int) -> bytes:
    top = tab.evaluate(f"document.getElementById('{part}').getBoundingClientRect().top + window.scrollY")
    clip = {"x": 0, "y": top + MARGIN - 8, "width": WIDTH, "height": height, "scale": 1}
    shown = tab.call("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
    return base64.b64decode(shown["data"])


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])))
