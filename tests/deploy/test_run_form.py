"""What the run form of each deployment shows and refuses; the server validates by the same schema."""

from typing import Any

import pytest
from prefect import Flow
from prefect.utilities.callables import parameter_schema
from prefect.utilities.schema_tools.validation import validate
from pydantic import TypeAdapter

from flows.backfill import backfill_playlists
from flows.ingest import ingest_playlists
from flows.parameters import Playlists
from tests.pipeline.spotify.test_links import NAMES, REFUSED

FLOWS: dict[str, Flow[..., Any]] = {"ingest": ingest_playlists, "backfill": backfill_playlists}
ID = "37i9dQZF1DXcBWIGoYBM5M"


def schema(flow: str) -> dict[str, Any]:
    """The parameters as the form gets them."""
    return parameter_schema(FLOWS[flow]).model_dump()


def refused(flow: str, **parameters: object) -> bool:
    """Whether the form says no."""
    given = {"playlists": [ID], **parameters}
    return bool(validate(given, schema(flow), raise_on_error=False, preprocess=False))


def fields(flow: str) -> dict[str, Any]:
    """Every field of the form by its name, those of groups as `group.name`."""
    whole, found = schema(flow), {}
    for name, shown in whole["properties"].items():
        found[name] = shown
        group = whole["definitions"].get(shown.get("$ref", "").removeprefix("#/definitions/"), {})
        found |= {f"{name}.{inner}": one for inner, one in group.get("properties", {}).items()}
    return found


@pytest.mark.parametrize("flow", FLOWS)
def test_each_field_is_described_and_typed(flow: str) -> None:
    for name, shown in fields(flow).items():
        assert shown["description"].endswith("."), name
        assert {"type", "anyOf", "$ref"} & shown.keys(), name


def test_rarely_used_settings_are_grouped_and_come_last() -> None:
    limits = ["limits", "limits.pipe_minutes", "limits.max_hours"]
    names = ["blocks", *(f"blocks.{name}" for name in ("lake", "warehouse", "warehouse_admin"))]
    assert [*fields("backfill")][-7:] == limits + names
    assert [*fields("ingest")][-8:] == [*limits, *names, "blocks.spotify"]
    in_order = sorted(schema("ingest")["properties"].values(), key=lambda shown: shown["position"])
    assert [shown["title"] for shown in in_order[-2:]] == ["limits", "blocks"]


def test_dates_have_pickers_and_choices_are_listed() -> None:
    shown = schema("ingest")["properties"]
    assert {"type": "string", "format": "date"} in shown["snapshot_date"]["anyOf"]
    assert shown["load"]["enum"] == ["copy", "snowpipe"]
    assert shown["refresh"]["enum"] == ["snapshot", "full"]
    assert "whole history of all other playlists" in shown["refresh"]["description"].replace("\n", " ")


@pytest.mark.parametrize("name", [*NAMES.values(), "mine", " Mine "], ids=[*NAMES, "mine", "Mine"])
def test_each_way_to_name_a_playlist_is_taken(name: str) -> None:
    assert not refused("ingest", playlists=[name])


LEFT_TO_THE_RUN = {
    "line break after it",
    "two ids",
    "another host",
    "a host that goes on",
    "a host before it",
    "a host that starts otherwise",
    "user information",
    "another scheme",
    "something after it",
    "no locale",
    "a locale of two parts of the path",
}
"""The form shows its pattern to whoever is refused, so it is short; the run refuses these, in words."""


def test_what_is_no_playlist_is_refused() -> None:
    assert {
        name for name, text in REFUSED.items() if not refused("ingest", playlists=[text])
    } == LEFT_TO_THE_RUN


WRONG: dict[str, dict[str, object]] = {
    "two words": {"playlists": ["mine mine"]},
    "one playlist that is no list": {"playlists": ID},
    "no such way of loading": {"load": "copyy"},
    "no such refresh": {"refresh": "everything"},
    "no minutes": {"limits": {"pipe_minutes": 0}},
    "more than half a day": {"limits": {"pipe_minutes": 721}},
    "no such limit": {"limits": {"minutes": 10}},
    "no such block": {"blocks": {"snowflake": "warehouse"}},
    "a day that is none": {"snapshot_date": "2026-02-31"},
    "a date with a time": {"snapshot_date": "2026-11-21T06:00:00Z"},
    "a flag that is none": {"enrich": "perhaps"},
}


@pytest.mark.parametrize("parameters", WRONG.values(), ids=WRONG)
def test_wrong_values_are_refused_at_the_form(parameters: dict[str, object]) -> None:
    assert refused("ingest", **parameters)


def test_one_setting_of_a_group_may_be_given_alone() -> None:
    assert not refused("ingest", limits={"max_hours": 5}, blocks={"warehouse": "warehouse-test"})


def test_a_backfill_has_no_block_of_spotify() -> None:
    assert refused("backfill", blocks={"spotify": "spotify"})


@pytest.mark.parametrize("flow", FLOWS)
def test_no_playlist_is_needed(flow: str) -> None:
    assert not refused(flow, playlists=[])
    assert schema(flow)["properties"]["playlists"]["type"] == "array"  # with null it would ask which, first


def test_python_may_say_none_for_no_playlist() -> None:
    assert TypeAdapter[list[str]](Playlists).validate_python(None) == []


def test_the_form_says_what_no_playlist_means() -> None:
    described = schema("ingest")["properties"]["playlists"]["description"].replace("\n", " ")
    assert "Empty: the list in the Prefect variable `daily_playlists`, read when the run starts." in described
    assert "the word `mine`: every playlist that the authorised user owns or collaborates on" in described
