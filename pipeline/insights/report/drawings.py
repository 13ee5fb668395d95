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
WAY_WIDTH, WAY_HEIGHT, WAY_EDGE = 90, 22, 3


def draw_way(places: Sequence[SongPlace], snapshots: int, deepest: int) -> Markup:
    """A song's positions over the playlist's last snapshots, the first place at the top.

    `deepest`: the last position of the scale. A snapshot without the song is a gap.
    """
    across, down = max(snapshots - 1, 1), max(deepest - 1, 1)

    def point(place: SongPlace) -> tuple[int, int]:
        x = WAY_WIDTH * (place.snapshot_number - 1) // across if snapshots > 1 else WAY_WIDTH
        return WAY_EDGE + x, WAY_EDGE + round(WAY_HEIGHT * (min(place.position, deepest) - 1) / down)

    end = places[-1] if places and places[-1].snapshot_number == snapshots else None
    dot = Markup('<path class="now" d="{}"/>').format(_path([[point(end)]])) if end else ""
    size = f"0 0 {WAY_WIDTH + 2 * WAY_EDGE} {WAY_HEIGHT + 2 * WAY_EDGE}"
    return Markup('<svg class="way" viewBox="{}" role="img" aria-label="{}"><path d="{}"/>{}</svg>').format(
        size, way_text(places, snapshots), _path([[*map(point, part)] for part in _parts(places)]), dot
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

    Stretched to its box, so it holds no words: those stand beside it.
    """

    def points(places: Sequence[SongPlace]) -> str:
        return _path(
            [[(STEP * (one.snapshot_number - 1), STEP * one.position - STEP // 2) for one in part]
             for part in _parts(places)]
        )  # fmt: skip

    faint = [Markup('<path class="past" d="{}"/>').format(points(places)) for places in others]
    strong = [
        Markup('<path class="{}" d="{}"><title>{}</title></path>').format(
            "racer" if number else "racer leader", points(places), name
        )
        for number, (name, places) in enumerate(lines)
    ]
    size = f"0 0 {max(STEP * (snapshots - 1), 1)} {STEP * RACE_PLACES}"
    return Markup(
        '<svg class="race" viewBox="{}" preserveAspectRatio="none" role="img" aria-label="{}">{}</svg>'
    ).format(size, text, Markup("").join([*faint, *reversed(strong)]))


def draw_bar(value: float, most: float) -> Markup:
    """A bar; it stands beside its number, so it says nothing to those who do not see it."""
    width = round(100 * value / most) if most else 0
    return Markup(
        '<svg class="bar" aria-hidden="true"><rect width="{}%" height="100%" rx="2"/></svg>'
    ).format(max(width, 1))


def _parts(places: Sequence[SongPlace]) -> list[list[SongPlace]]:
    """The places between the gaps."""
    parts = [[one] for one in places[:1]]
    for before, after in pairwise(places):
        if after.snapshot_number == before.snapshot_number + 1:
            parts[-1].append(after)
        else:
            parts.append([after])
    return parts


def _path(parts: Iterable[Sequence[tuple[int, int]]]) -> str:
    """Lines through points; a single point becomes a dot, because lines have round ends."""
    return "".join(
        "M" + "L".join(f"{x} {y}" for x, y in part) + ("h0" if len(part) == 1 else "") for part in parts
    )
