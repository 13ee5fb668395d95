"""Options of `plan` and `apply`: what is refused before the logins, and what is remembered."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from deploy.changes import ProvisionFailed
from deploy.deployed_file import FILE, file_changes, reduce_file, reductions, stored_variables, write_file
from deploy.provision.accounts import Options
from deploy.provision.lake_removal import find_removable_lake
from deploy.provision.option_checks import refuse_incomplete_file, refuse_wrong_options
from deploy.provision.parameters import SETTABLE, given_parameters, refuse_wrong_values, template_parameters
from deploy.provision.remembered import OF_LAKE, remembered, remembered_bucket
from pipeline.errors import ConfigurationError

WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "capital letter": ({"stack": "FooBar"}, "--stack FooBar: a name has lower-case letters"),
    "underscore": ({"stack": "foo_bar"}, "--stack foo_bar"),
    "51 characters": ({"stack": "a" * 51}, "at most 50 characters"),
    "unknown parameter": (
        {"parameters": ("Days=1",)},
        "does not take Days. It takes EventsQueueName, RawDays",
    ),
    "derived parameter": ({"parameters": ("LakeFolder=x/",)}, "does not take LakeFolder"),
    "no value": ({"parameters": ("RawDays",)}, "RawDays= is not possible: a whole number from 0 on"),
    "no number": ({"parameters": ("RawDays=abc",)}, "RawDays=abc is not possible"),
    "too few": ({"parameters": ("OldVersionDays=0",)}, "a whole number from 1 on"),
    "not allowed": ({"parameters": ("LogDays=2",)}, "LogDays=2 is not possible: one of 0, 1, 3, 5"),
    "no playlist": ({"playlists": ("not a link",)}, "not a link"),
}


@pytest.mark.parametrize(("options", "says"), WRONG.values(), ids=WRONG)
def test_a_wrong_option_is_refused_before_the_logins(options: dict[str, Any], says: str) -> None:
    with pytest.raises((ProvisionFailed, ConfigurationError)) as raised:
        refuse_wrong_options(**{"stack": "a", "parameters": (), "playlists": ()} | options)
    assert says in str(raised.value)


def test_every_settable_parameter_is_one_of_the_template() -> None:
    assert set(SETTABLE) <= template_parameters().keys()
    assert given_parameters(["RawDays=365", "LogDays=0"]) == {"RawDays": "365", "LogDays": "0"}


def test_a_folder_that_only_the_template_refuses_is_refused_before_anything_is_written() -> None:
    refuse_wrong_values({"LakeFolder": "spotify/prod/", "BucketName": "a-bucket"})
    with pytest.raises(ProvisionFailed, match=r"LakeFolder=a\*b/ is not possible: Empty, or a path"):
        refuse_wrong_values({"LakeFolder": "a*b/"})


def test_all_missing_lines_and_placeholders_are_named_at_once() -> None:
    with pytest.raises(ProvisionFailed) as raised:
        refuse_incomplete_file({"SPOTIFY_CLIENT_ID": "…"})
    assert "SPOTIFY_CLIENT_ID, SPOTIFY_CLIENT_SECRET, AWS_DEFAULT_REGION" in str(raised.value)
    assert "docs/operations.md" in str(raised.value)


@pytest.fixture
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_PROFILE", "DEPLOY_STACK", "PREFECT_WORK_POOL"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("_folder")
def test_options_are_those_given_else_of_the_file_else_of_the_last_apply(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert remembered(None) == Options(stack="spotify-playlist-pipeline", pool="spotify")
    write_file({"DEPLOY_STACK": "dev", "PREFECT_WORK_POOL": "dev-pool", "AWS_PROFILE": "dev-person"})
    assert remembered(Options()) == Options(stack="dev", pool="dev-pool", profile="dev-person")
    Path(".env").write_text("PREFECT_WORK_POOL=of-file\n", encoding="utf-8")
    assert remembered(Options(stack="prod")) == Options(stack="prod", pool="of-file", profile="dev-person")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "of the shell")
    assert remembered(None).profile is None
    assert remembered(Options(profile="other")).profile == "other"


@pytest.mark.usefixtures("_folder")
def test_the_bucket_of_another_stack_is_not_used() -> None:
    write_file({"DEPLOY_STACK": "dev", "LAKE_BUCKET": "dev-lake"})
    assert remembered_bucket("dev") == "dev-lake"
    assert remembered_bucket("prod") is None


@pytest.mark.usefixtures("_folder")
def test_an_option_that_no_longer_holds_is_removed_from_the_file() -> None:
    write_file({"AWS_PROFILE": "dev", "PIPELINE_IMAGE": "image"})
    assert file_changes({"AWS_PROFILE": ""})
    write_file({"AWS_PROFILE": ""})
    assert stored_variables() == {"PIPELINE_IMAGE": "image"}
    assert file_changes({"AWS_PROFILE": ""}) == []


@pytest.mark.usefixtures("_folder")
def test_after_destroy_the_file_only_has_what_finds_the_lake() -> None:
    assert reductions(OF_LAKE) == []
    write_file({"DEPLOY_STACK": "dev", "LAKE_BUCKET": "dev-lake", "IMAGE_REPOSITORY": "images"})
    assert [str(one) for one in reductions(OF_LAKE)] == [
        "~ change .env.deployed (keeps DEPLOY_STACK, LAKE_BUCKET)"
    ]
    reduce_file(OF_LAKE)
    assert stored_variables() == {"DEPLOY_STACK": "dev", "LAKE_BUCKET": "dev-lake"}
    assert reductions(OF_LAKE) == []
    assert [str(one) for one in reductions(())] == ["- delete .env.deployed"]
    reduce_file(())
    assert not FILE.exists()


@pytest.mark.usefixtures("_folder")
def test_the_lake_of_a_stack_that_was_not_deleted_completely_is_found() -> None:
    parameters = {"BucketName": "company-data", "LakeFolder": "spotify/"}
    listed = [{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()]
    stack: Any = {"StackStatus": "DELETE_FAILED", "Parameters": listed}
    accounts: Any = SimpleNamespace(
        stack=SimpleNamespace(found=lambda: stack),
        variables=SimpleNamespace(values={"LAKE_BUCKET": "other"}),
        options=Options(stack="dev"),
        aws=SimpleNamespace(account_id="1"),
        bucket=lambda name: name,
    )
    lake: Any = find_removable_lake(accounts, named=False)
    assert lake == ("company-data", "spotify/")
    stack = None
    lake = find_removable_lake(accounts, named=False)
    assert lake == ("other", "")
