"""Inline SVG: the trend of a song, the race of the top ten (a bump chart), and bars. Pure.

Coordinates are whole numbers. Each drawing has a text alternative. Colours and sizes are in page.css.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise

from markupsafe import Markup

from pipeline.insights.report.contents import SongPlace
from pipeline.insights.report.words import shown_date

RACE_PLACES = 10
"""Places in the race; lines of songs with a lower place leave the drawing at its lower edge."""
STEP = 10
"""SVG units per place and per snapshot of the race; CSS stretches the drawing."""
EDGE_PARTS = 40
"""The margin on both sides of the race, for the dots, is the width divided by this number."""
TREND_WIDTH, TREND_HEIGHT, TREND_EDGE = 90, 22, 3
TREND_MIN_PLACES = 10
"""Minimum number of places over the height of a trend, so that a change of one place looks small."""


def draw_trend(places: Sequence[SongPlace], snapshots: int) -> Markup:
    """A song's positions in the playlist's last snapshots, with the best position at the top.

    Each trend has its own scale. A snapshot without the song is a gap.
    """
    positions = [place.position for place in places] or [1]
    best, worst = min(positions), max(positions)
    height = max(worst - best, TREND_MIN_PLACES)

    def point(place: SongPlace) -> tuple[int, int]:
        x = TREND_WIDTH * (place.snapshot_number - 1) // max(snapshots - 1, 1)
        down = place.position - best + (height - (worst - best)) / 2
        return TREND_EDGE + x, TREND_EDGE + round(TREND_HEIGHT * down / height)

    end = places[-1] if places and places[-1].snapshot_number == snapshots else None
    dot = Markup('<path class="now" d="{}"/>').format(_dot(*point(end))) if end else ""
    size = f"0 0 {TREND_WIDTH + 2 * TREND_EDGE} {TREND_HEIGHT + 2 * TREND_EDGE}"
    lines = "".join(_line([point(place) for place in part]) for part in _parts(places))
    return Markup(
        '<svg class="sparkline" viewBox="{}" role="img" aria-label="{}"><path d="{}"/>{}</svg>'
    ).format(size, trend_text(places, snapshots), lines, dot)


def trend_text(places: Sequence[SongPlace], snapshots: int) -> str:
    """A song's trend in words."""
    if not places:
        return f"not in the last {snapshots} snapshots"
    first, best = places[0], min(places, key=lambda place: place.position)
    since = f"{first.position} on {shown_date(first.snapshot_date)}"
    if len(places) == 1:
        return f"Place {since}"
    return f"From {since} to {places[-1].position}, best {best.position}"


def draw_race(
    lines: Iterable[tuple[str, Sequence[SongPlace]]],
    others: Iterable[Sequence[SongPlace]],
    snapshots: int,
    text: str,
) -> Markup:
    """Lines of the top ten, over faint lines of other songs. `lines`: name and places, the leader first.

    Each line ends in a dot at the song's name. Names are HTML next to the drawing, because CSS stretches it.
    """
    width = STEP * (snapshots - 1)
    edge = max(width // EDGE_PARTS, 1)
    faint = [Markup('<path class="past" d="{}"/>').format(_curves(places)) for places in others]
    strong = [
        Markup('<g class="{}"><title>{}</title><path d="{}"/><path class="now" d="{}"/></g>').format(
            "racer" if number else "racer leader", name, _curves(places), _dot(*_race_point(places[-1]))
        )
        for number, (name, places) in enumerate(lines)
    ]
    size = f"{-edge} 0 {width + 2 * edge} {STEP * RACE_PLACES}"
    return Markup(
        '<svg class="race" viewBox="{}" preserveAspectRatio="none" role="img" aria-label="{}">{}</svg>'
    ).format(size, text, Markup("").join([*faint, *reversed(strong)]))


def draw_bar(percent: float) -> Markup:
    """A bar for a percentage. It is hidden from screen readers, because the number is next to it."""
    return Markup(
        '<svg class="bar" aria-hidden="true"><rect class="whole" width="100%" height="100%" rx="2"/>'
        '<rect width="{}%" height="100%" rx="2"/></svg>'
    ).format(max(round(percent), 1))


def _parts(places: Sequence[SongPlace]) -> list[list[SongPlace]]:
    """The places, split at snapshots without the song."""
    parts = [[one] for one in places[:1]]
    for before, after in pairwise(places):
        if after.snapshot_number == before.snapshot_number + 1:
            parts[-1].append(after)
        else:
            parts.append([after])
    return parts


def _line(points: Sequence[tuple[int, int]]) -> str:
    """Straight lines through points. Points within a horizontal part are left out; one point is a dot."""
    if len(points) == 1:
        return _dot(*points[0])
    inner = [
        point
        for before, point, after in zip(points, points[1:], points[2:], strict=False)
        if not before[1] == point[1] == after[1]
    ]
    return "M" + "L".join(f"{x} {y}" for x, y in [points[0], *inner, points[-1]])


def _curves(places: Sequence[SongPlace]) -> str:
    """Lines that are horizontal at each snapshot, so that they can be followed where they cross."""
    return "".join(map(_curve, _parts(places)))


def _curve(part: Sequence[SongPlace]) -> str:
    start, *_ = points = [_race_point(place) for place in part]
    if len(points) == 1:
        return _dot(*start)
    downs = [after[1] - before[1] for before, after in pairwise(points)]
    half = STEP // 2
    return f"M{start[0]} {start[1]}" + "".join(
        f"c{half} 0 {half} {down} {STEP} {down}" if down else f"h{STEP}" for down in downs
    )


def _race_point(place: SongPlace) -> tuple[int, int]:
    return STEP * (place.snapshot_number - 1), STEP * place.position - STEP // 2


def _dot(x: int, y: int) -> str:
    """A line of length 0: its round ends make it a dot."""
    return f"M{x} {y}h0"
