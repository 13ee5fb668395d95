"""Pictures as inline SVG: a song's way, the race of the top ten, bars. Pure; coordinates are whole numbers.

Each has its text alternative. Colours and sizes are in page.css.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise

from markupsafe import Markup

from pipeline.insights.report.contents import SongPlace
from pipeline.insights.report.words import shown_date

RACE_PLACES = 10
"""Places that the race shows; lines of songs below leave the picture at its lower edge."""
STEP = 10
"""Units between two places and two snapshots of the race, which is stretched to its box."""
EDGE_PARTS = 40
"""Part of the race's width that is free on both sides, for dots."""
WAY_WIDTH, WAY_HEIGHT, WAY_EDGE = 90, 22, 3
WAY_PLACES = 10
"""Least places that the height of a song's way stands for: one place up is no summit."""


def draw_way(places: Sequence[SongPlace], snapshots: int) -> Markup:
    """A song's positions over the playlist's last snapshots, its best at the top: each has its own scale.

    A snapshot without the song is a gap.
    """
    positions = [place.position for place in places] or [1]
    best, worst = min(positions), max(positions)
    height = max(worst - best, WAY_PLACES)

    def point(place: SongPlace) -> tuple[int, int]:
        x = WAY_WIDTH * (place.snapshot_number - 1) // max(snapshots - 1, 1)
        down = place.position - best + (height - (worst - best)) / 2
        return WAY_EDGE + x, WAY_EDGE + round(WAY_HEIGHT * down / height)

    end = places[-1] if places and places[-1].snapshot_number == snapshots else None
    dot = Markup('<path class="now" d="{}"/>').format(_dot(*point(end))) if end else ""
    size = f"0 0 {WAY_WIDTH + 2 * WAY_EDGE} {WAY_HEIGHT + 2 * WAY_EDGE}"
    lines = "".join(_line([point(place) for place in part]) for part in _parts(places))
    return Markup('<svg class="way" viewBox="{}" role="img" aria-label="{}"><path d="{}"/>{}</svg>').format(
        size, way_text(places, snapshots), lines, dot
    )


def way_text(places: Sequence[SongPlace], snapshots: int) -> str:
    """A song's way in words."""
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
    """Lines of songs by their names, over faint ones of other songs; the first line is the leader's.

    Stretched to its box, so it holds no words: those stand beside it. Each line ends in a dot at its name.
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
    """A bar of the whole; it stands beside its number, so it says nothing to those who do not see it."""
    return Markup(
        '<svg class="bar" aria-hidden="true"><rect class="whole" width="100%" height="100%" rx="2"/>'
        '<rect width="{}%" height="100%" rx="2"/></svg>'
    ).format(max(round(percent), 1))


def _parts(places: Sequence[SongPlace]) -> list[list[SongPlace]]:
    """The places between the gaps."""
    parts = [[one] for one in places[:1]]
    for before, after in pairwise(places):
        if after.snapshot_number == before.snapshot_number + 1:
            parts[-1].append(after)
        else:
            parts.append([after])
    return parts


def _line(points: Sequence[tuple[int, int]]) -> str:
    """Straight lines through points, without those in the middle of a level part; one point is a dot."""
    if len(points) == 1:
        return _dot(*points[0])
    inner = [
        point
        for before, point, after in zip(points, points[1:], points[2:], strict=False)
        if not before[1] == point[1] == after[1]
    ]
    return "M" + "L".join(f"{x} {y}" for x, y in [points[0], *inner, points[-1]])


def _curves(places: Sequence[SongPlace]) -> str:
    """Lines that are level at each snapshot, so that the eye can follow them where they cross."""
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
    """A line without a length, which has round ends."""
    return f"M{x} {y}h0"
