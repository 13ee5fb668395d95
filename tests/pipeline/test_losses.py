"""Warnings about data missing from the tables: rejected entries, unusable values, missing fields."""

from datetime import timedelta

from pipeline.losses import loss, losses, warnings
from pipeline.records import PlaylistLine
from pipeline.run_message import summary
from pipeline.transform.entries import EXPECTED_REASONS
from tests.builders import DAY, PLAYLIST


def _line(**found: object) -> PlaylistLine:
    return PlaylistLine(PLAYLIST, DAY, "loaded", **found)  # type: ignore[arg-type]


def test_rejects_with_a_natural_reason_are_not_a_loss() -> None:
    line = _line(rejected=dict.fromkeys(EXPECTED_REASONS, 3))
    assert loss(line) is None
    assert losses([line]) is None
    assert summary([line], []) == ("completed", "1 playlist loaded")


def test_rejects_nulled_values_and_missing_fields_are_reported() -> None:
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
    assert message == f"1 playlist loaded. Warnings: playlist {PLAYLIST} of {DAY}: {loss(line)}"


def test_the_first_losses_are_listed_and_the_rest_are_counted() -> None:
    lines = [_line(nulled={f"field_{n}": n + 1 for n in range(9)} | {"isrc": number}) for number in range(5)]
    message = losses(lines)
    assert message is not None
    assert message.count("1 field_0, 2 field_1, 3 field_2, 7 more") == 3
    assert message.endswith("And 2 more: see the receipt")


def test_one_loss_on_many_dates_is_one_warning() -> None:
    days = [DAY - timedelta(days=age) for age in range(30)]
    lines = [PlaylistLine(PLAYLIST, day, "loaded", rejected={"nul_character": 1}) for day in days]
    (text,) = warnings(lines)
    found = f"30 dates, {min(days)} to {DAY}: 1 entry rejected (1 nul_character)"
    assert text == f"playlist {PLAYLIST} of {found}"
