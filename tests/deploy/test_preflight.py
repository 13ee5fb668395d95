"""`python -m deploy preflight`: nothing is red where all is there, and each thing taken away is named.

`pytest -rP` shows the matrix: below each thing that is taken away the lines that are red without it.
"""

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.config import Config

from deploy.preflight import aws_account, command
from deploy.preflight.command import run_preflight
from deploy.preflight.role_checks import CALLER
from pipeline.preflight import checks
from pipeline.preflight.checks import Line
from sandbox.services import Addresses
from tests.deploy.aws import Aws
from tests.deploy.conftest import set_up
from tests.deploy.rehearsal import ENOUGH, POOL, client
from tests.deploy.surroundings import Surroundings
from tests.deploy.taken_away import Case
from tests.deploy.taken_from_aws import containers, notifications, permissions, roles
from tests.deploy.taken_from_deployments import deployments
from tests.deploy.taken_from_prefect import values, watching, work_pool
from tests.deploy.taken_from_snowflake import snowflake
from tests.places import Place
from tests.tiers import enumerated
from tests.warehouses import Warehouse

pytestmark = pytest.mark.faults
"""Its surroundings take long to make; `make test` has the checks of Prefect in test_rehearsal.py."""

KEYS = ("LAKE_AWS_ACCESS_KEY_ID", "LAKE_AWS_SECRET_ACCESS_KEY")


@pytest.fixture(scope="module")
def surroundings(addresses: Addresses, prefect_api: dict[str, str]) -> Iterator[Surroundings]:
    """Everything as docs/by-hand.md says, pipes included."""
    assert prefect_api["PREFECT_API_URL"]
    place = Place.create(addresses)
    Warehouse(place, "snowpipe").set_up()
    aws = Aws.create(addresses.s3)
    set_up({name: value for name, value in place.variables().items() if name not in KEYS})
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(checks, "CHECK_S", 60.0)  # however busy the machine is
        patched.setattr(aws_account, "QUICK", Config(read_timeout=60))
        for name, value in aws.variables().items():
            patched.setenv(name, value)
        made = Surroundings({**os.environ, **ENOUGH}, place, aws)
        made.create()
        yield made
    place.drop()


def left(surroundings: Surroundings) -> list[Any]:
    """What could be left behind: files, tables, and what Prefect holds."""
    with client() as api:
        deployed = [(one.name, one.updated) for one in api.read_deployments()]
        watching = [(one.name, one.model_dump_json()) for one in api.read_automations()]
        pool = api.read_work_pool(POOL)
    place = surroundings.place
    return [place.keys(), place.schema(), deployed, watching, pool.base_job_template, pool.is_paused]


def test_nothing_is_red_where_all_is_there_and_nothing_is_changed(
    surroundings: Surroundings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in ENOUGH.items():
        monkeypatch.setenv(name, value)
    before = left(surroundings)
    capsys.readouterr()
    assert run_preflight(load="snowpipe", json=True, profile=None) == 0
    shown = json.loads(capsys.readouterr().out)
    assert [line for line in shown["checks"] if line["status"] != "ok"] == []
    assert shown["red"] == 0
    assert len(shown["checks"]) > 80
    assert left(surroundings) == before


def test_the_command_ends_with_status_1_where_something_is_red(
    surroundings: Surroundings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert surroundings
    monkeypatch.setattr(
        command, "find_surrounding_lines", lambda _: [Line("a", "ok", "x"), Line("b", "missing", "y")]
    )
    assert run_preflight(load="copy", json=False, profile=None) == 1
    assert capsys.readouterr().out == "ok       a  x\nmissing  b  y\n1 of 2 checks is red\n"


def test_without_prefect_the_output_is_still_json(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    assert run_preflight(load="copy", json=True, profile=None) == 1
    (line,) = json.loads(capsys.readouterr().out)["checks"]
    assert (line["check"], line["status"]) == ("Prefect: API", "wrong")
    assert "Nothing else was checked" in line["text"]


OF_PREFECT = dict((*deployments(), *watching()))
OF_ACCOUNTS = dict((*permissions(), *roles(), *containers(), *notifications(), *snowflake()))
CASES: dict[str, Case] = {**dict((*values(), *work_pool())), **OF_PREFECT, **OF_ACCOUNTS}
ALWAYS = [
    "task role: s3:PutObject on spotify-lake/raw/*",
    "GRANT SELECT ON FUTURE VIEWS IN SCHEMA SPOTIFY.PLAYLISTS TO ROLE SPOTIFY_READER",
]


@pytest.mark.parametrize("name", enumerated(CASES, ALWAYS))
def test_what_is_taken_away_is_named(surroundings: Surroundings, name: str) -> None:
    case = CASES[name]
    with case.without(surroundings) as environment:
        if name in OF_PREFECT:
            lines = surroundings.lines_of_prefect()
        elif name in OF_ACCOUNTS:
            lines = surroundings.lines_of_accounts()
        else:
            lines = surroundings.lines(**environment)
    red = [line for line in lines if line.is_red]
    skipped = [line.check for line in lines if line.status == "skipped"]
    shown = [f"{line.status} {line.check}: {line.text}" for line in red]
    print(f"\nwithout {name}:", *shown, f"skipped: {len(skipped)}", sep="\n    ")  # noqa: T201 - the matrix
    assert red
    assert [line for line in red if not line.check.startswith(case.red) or case.says not in line.text] == []
    reasons = {line.text.partition(" ")[0] for line in lines if line.status == "skipped"}
    assert reasons <= {"needs", "role"}  # "role SPOTIFY_OWNER may not list grants"


def test_what_the_caller_may_not_see_is_skipped(
    surroundings: Surroundings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in surroundings.keys_of_nobody().items():
        monkeypatch.setenv(name, value)
    lines = {line.check: line for line in surroundings.lines()}
    assert not any(line.is_red for line in lines.values())
    for check in ("task role", "execution role", "ECS cluster", "log group", "image in ECR"):
        assert lines[check].status == "skipped"
        assert "these AWS credentials may not call" in lines[check].text
    assert lines["task role: trust"].text == "needs 'task role'"


def test_without_aws_the_rest_is_checked(surroundings: Surroundings, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    lines = surroundings.lines()
    (caller,) = (line for line in lines if line.check == CALLER)
    assert caller.text == "no response from AWS to sts:GetCallerIdentity (NoCredentialsError)"
    assert {line.status for line in lines} == {"ok", "skipped"}
