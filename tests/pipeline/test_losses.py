"""What a run says of entries, values and fields that its tables do not show."""

from pipeline.losses import loss, losses
from pipeline.receipt import summary
from pipeline.records import PlaylistLine
from pipeline.transform.entries import NATURAL
from tests.builders import DAY, PLAYLIST


def _line(**found: object) -> PlaylistLine:
    return PlaylistLine(PLAYLIST, DAY, "loaded", **found)  # type: ignore[arg-type]


def test_what_playlists_usually_hold_is_no_loss() -> None:
    line = _line(rejected=dict.fromkeys(NATURAL, 3))
    assert loss(line) is None
    assert losses([line]) is None
    assert summary([line], []) == ("completed", "Playlists: 1 loaded")


def test_rejects_nulled_values_and_missing_fields_are_said() -> None:
    line = _line(
        rejected={"episode": 2, "malformed: Expected `str`": 3, "nul_character": 1},
        nulled={"duration_ms": 1200, "album.name": 2},
        missing_fields=["explicit", "artists.name"],
    )
    assert loss(line) == (
        "4 entries rejected (3 malformed: Expected `str`, 1 nul_character); "
        "1,202 unusable values are null (1,200 duration_ms, 2 album.name); "
        "no song has explicit, artists.name, so the Web API may have changed"
    )
    status, message = summary([line], [])
    assert status == "completed"
    assert message == f"Playlists: 1 loaded. Warnings: playlist {PLAYLIST} of {DAY}: {loss(line)}"


def test_many_losses_are_counted() -> None:
    nulled = {f"field_{number}": 1 for number in range(9)}
    message = losses([_line(nulled=nulled)] * 5)
    assert message is not None
    assert message.count("1 field_0, 1 field_1, 1 field_2, 6 more") == 3
    assert message.endswith("And 2 more: see the receipt")
