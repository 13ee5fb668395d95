"""Changes as text: run message, notification and artifact, all of bounded size."""

from collections.abc import Iterable
from datetime import timedelta

from pipeline.insights import changes_text
from pipeline.markdown import ARTIFACT_BYTES
from pipeline.records import PlaylistChanges, SongChange
from tests.builders import DAY, OTHER_PLAYLIST, PLAYLIST

YESTERDAY = DAY - timedelta(days=1)


def song(number: int, position: int | None, previous: int | None, name: str = "Song") -> SongChange:
    return SongChange(f"s{number}", f"{name} {number}", "Artist", position, previous, "me")


def changes(
    name: str = "Party mix", entered: Iterable[SongChange] = (), playlist: str = PLAYLIST
) -> PlaylistChanges:
    return PlaylistChanges(playlist, name, DAY, YESTERDAY, [*entered])


PARTY = PlaylistChanges(
    PLAYLIST,
    "Party mix",
    DAY,
    YESTERDAY,
    entered=[song(1, 1, None), song(2, 7, None)],
    left=[song(3, None, 4)],
    moved=[song(4, 2, 9)],
    rejected={"episode": 1},
)


def test_one_line_lists_changed_playlists_by_name() -> None:
    found = [PARTY, changes("Same"), changes("focus", [song(1, 1, None)], OTHER_PLAYLIST)]
    assert changes_text.in_one_line(found) == (
        "focus: 1 added; Party mix: 2 added, 1 removed, 1 moved, 1 more rejected"
    )
    assert changes_text.in_one_line([changes("Same")]) == ""


def test_one_line_names_ten_playlists_and_counts_the_rest() -> None:
    found = [changes(f"A\n\x1b[31m{number:04}" + "!" * 500, [song(1, 1, None)]) for number in range(500)]
    text = changes_text.in_one_line(found)
    assert text.startswith("A (31m0000!")
    assert text.endswith("; and 490 more playlists changed")
    assert "\n" not in text
    assert len(text) < 2_000


def test_a_notification_lists_songs_up_to_a_limit() -> None:
    assert changes_text.in_lines(PARTY).splitlines() == [
        f"Party mix: 2 added, 1 removed, 1 moved, 1 more rejected since {YESTERDAY}",
        "added by me (1) Artist: Song 1",
        "added by me (7) Artist: Song 2",
        "removed (4) Artist: Song 3",
        "moved (9 → 2) Artist: Song 4",
    ]
    many = changes(entered=[song(number, number, None, "x" * 10_000) for number in range(1, 10_000)])
    lines = changes_text.in_lines(many).splitlines()
    assert lines[-1] == "and 9,979 more added"
    assert sum(map(len, lines)) < 20_000


def test_external_text_is_not_markup_in_a_notification() -> None:
    hostile = "<!channel> @everyone [a](http://evil) <img src=x>"
    text = changes_text.in_lines(changes(hostile, [song(1, 1, None, hostile)]))
    assert not set(text) & set("<>@[]")
    assert "channel" in text
    assert "http://" not in text
    shown = changes_text.shown_name(changes("St. Vincent, www.evil.example"))
    assert shown == "St. Vincent, www\u2024evil\u2024example"
    name = changes_text.shown_name(changes("x\r\nBcc: a@b\u202e" + "y" * 4_000_000))
    assert name.startswith("x Bcc: a")
    assert len(name) <= changes_text.NAME_CHARACTERS
    assert changes_text.shown_name(changes("")) == "(no name)"
    assert changes_text.shown_name(changes("\u200b\ufeff\u3164\u2800")) == "(no name)"


def test_a_moved_song_with_an_unchanged_position_shows_one_position() -> None:
    moved = PlaylistChanges(PLAYLIST, "n", DAY, YESTERDAY, moved=[song(1, 3, 3)])
    assert changes_text.in_lines(moved).splitlines()[1] == "moved (3) Artist: Song 1"


def test_the_artifact_is_a_table_of_all_changes() -> None:
    rows = [line.split("|") for line in changes_text.changes_table([PARTY], "s3://x").splitlines()]
    cells = [tuple(cell.strip() for cell in row[3:8]) for row in rows[2:]]
    assert cells == [
        ("added", "", "1", "Song 1", "Artist"),
        ("added", "", "7", "Song 2", "Artist"),
        ("removed", "4", "", "Song 3", "Artist"),
        ("moved", "9", "2", "Song 4", "Artist"),
        ("rejected", "", "", "1 more: episode", ""),
    ]
    assert changes_text.changes_table([changes("Same")], "s3://x") == "Nothing changed."


def test_an_artifact_that_would_be_too_large_is_truncated_and_links_the_receipt() -> None:
    long_name = changes(entered=[song(1, 1, None, "x" * 600_000), song(2, 2, None)])
    assert "Song 2" in changes_text.changes_table([long_name], "s3://receipt")
    text = changes_text.changes_table(
        [changes(entered=[song(n, n, None, "<b>|" * 50) for n in range(9_999)])], "s3://receipt"
    )
    assert len(text.encode()) <= ARTIFACT_BYTES + 1_000
    assert text.endswith("more rows are not shown: the full receipt is `s3://receipt`")
