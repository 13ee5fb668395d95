"""The run form of each deployment: fields, descriptions, refused values. The server uses the same schema."""

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
    """JSON schema of the form."""
    return parameter_schema(FLOWS[flow]).model_dump()


def refused(flow: str, **parameters: object) -> bool:
    """Returns True if the form refuses the parameters."""
    given = {"playlists": [ID], **parameters}
    return bool(validate(given, schema(flow), raise_on_error=False, preprocess=False))


def fields(flow: str) -> dict[str, Any]:
    """All fields of the form by name; in groups `group.name`."""
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
def test_each_form_of_a_playlist_is_accepted(name: str) -> None:
    assert not refused("ingest", playlists=[name])


REFUSED_BY_THE_RUN = {
    "line break after it",
    "two ids",
    "another host",
    "host with a suffix",
    "Spotify's host in the path",
    "host with a prefix",
    "host as user information",
    "another scheme",
    "further path segment",
    "empty locale",
    "locale of two path segments",
}
"""Accepted by the form, because its pattern is shown as the error message and must be short."""


def test_other_texts_are_refused_by_the_form_or_by_the_run() -> None:
    assert {
        name for name, text in REFUSED.items() if not refused("ingest", playlists=[text])
    } == REFUSED_BY_THE_RUN


WRONG: dict[str, dict[str, object]] = {
    "two words": {"playlists": ["mine mine"]},
    "a text in place of a list": {"playlists": ID},
    "unknown load": {"load": "copyy"},
    "unknown refresh": {"refresh": "everything"},
    "zero minutes": {"limits": {"pipe_minutes": 0}},
    "more than 12 hours": {"limits": {"pipe_minutes": 721}},
    "unknown limit": {"limits": {"minutes": 10}},
    "unknown block": {"blocks": {"snowflake": "warehouse"}},
    "a date that does not exist": {"snapshot_date": "2026-02-31"},
    "a date with a time": {"snapshot_date": "2026-11-21T06:00:00Z"},
    "a text in place of a flag": {"enrich": "perhaps"},
}


@pytest.mark.parametrize("parameters", WRONG.values(), ids=WRONG)
def test_the_form_refuses_wrong_values(parameters: dict[str, object]) -> None:
    assert refused("ingest", **parameters)


def test_a_group_accepts_a_single_setting() -> None:
    assert not refused("ingest", limits={"max_hours": 5}, blocks={"warehouse": "warehouse-test"})


def test_a_backfill_has_no_spotify_block() -> None:
    assert refused("backfill", blocks={"spotify": "spotify"})


@pytest.mark.parametrize("flow", FLOWS)
def test_the_list_of_playlists_may_be_empty(flow: str) -> None:
    assert not refused(flow, playlists=[])
    # If null were allowed as well, the form would first ask for the type.
    assert schema(flow)["properties"]["playlists"]["type"] == "array"


def test_python_accepts_none_as_empty_list() -> None:
    assert TypeAdapter[list[str]](Playlists).validate_python(None) == []


def test_the_form_describes_an_empty_list_and_mine() -> None:
    described = schema("ingest")["properties"]["playlists"]["description"].replace("\n", " ")
    assert "Default: the list in the Prefect variable `daily_playlists`, read when the run" in described
    assert "the word `mine`: all playlists that the authorised user owns or collaborates on" in described
