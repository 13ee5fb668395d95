"""From `make deploy` to rows in the warehouse, with a container for each run, started as ECS does."""

import json
import logging
import re
import signal
import socket
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.exceptions import ClientError
from prefect.client.schemas.objects import FlowRun
from prefect.states import Cancelling

from deploy import automations
from deploy.preflight.surroundings import Scope, check_surrounding_prefect
from pipeline.preflight.checks import Checklist
from sandbox.services import BUCKET
from sandbox.spotify.catalogue import CHARTS, MIXTAPE
from tests.deploy.aws import REGION, TASK_ROLE
from tests.deploy.rehearsal import ENOUGH, PLAYLISTS, POOL, WORKER_FOLDER, Rehearsal, client, module
from tests.deploy.test_prefect_yaml import SETTINGS
from tests.deploy.webhook import BLOCK, webhook
from tests.faults.injected import FAILURES, Fault
from tests.faults.labels import Label
from tests.policies import task_role_grants
from tests.waiting import until

ON_DEMAND, DAILY, BACKFILL = (
    "ingest-playlists/on-demand",
    "ingest-playlists/daily",
    "backfill-playlists/backfill",
)
TODAY = datetime.now(UTC).date()
PAST = TODAY - timedelta(days=1)
"""The dates that an ingest accepts as `snapshot_date`; after midnight TODAY is the day before."""
KILLED, STOPPED, CANCELLED = (CHARTS[1], PAST), (CHARTS[1], TODAY), (MIXTAPE, PAST)
"""One partition for each test that interrupts a run, so that no other run loads it."""
LOADING = Label("snowflake", "COPY", 3)
"""The third COPY, in the middle of the load's transaction."""


def test_scheduled_on_demand_and_backfill_runs_complete(rehearsal: Rehearsal) -> None:
    lost = Label("s3", "PUT tables", 2)
    rehearsal.traffic.reset(lost, FAILURES["lost response"])
    by_schedule = rehearsal.scheduled(DAILY)
    assert by_schedule.parameters == {}
    scheduled = by_schedule.expected_start_time
    assert scheduled
    assert f"{scheduled:%H:%M %Z}" == "06:00 UTC"
    rehearsal.bring_forward(by_schedule)
    watched = {"env": {"PYTHONPROFILEIMPORTTIME": "1"}}
    # Without skip_unchanged the ledger, and so Snowflake, is not queried before the playlist is read.
    options = {"enrich": True, "skip_unchanged": False}
    on_demand = rehearsal.start(ON_DEMAND, watched, **parameters_for((PLAYLISTS[0], PAST)), **options)
    assert completed(rehearsal, by_schedule).startswith("2 playlists loaded")
    assert completed(rehearsal, on_demand).startswith("1 playlist loaded")
    past = rehearsal.start(BACKFILL, start_date=str(PAST), end_date=str(PAST))
    assert completed(rehearsal, past) == "1 playlist loaded"

    assert rehearsal.traffic.fired == [lost]
    names = f"2 playlists in the Prefect variable daily_playlists: {', '.join(PLAYLISTS)}"
    assert any(names in message for message in rehearsal.logs(by_schedule))
    assert partitions(rehearsal) in (
        {(PLAYLISTS[0], PAST), *((playlist, day) for playlist in PLAYLISTS)}
        for day in (TODAY, datetime.now(UTC).date())
    )
    assert any("receipt s3://" in message for message in rehearsal.logs(on_demand))
    check_imports(rehearsal.container(on_demand).log.read_text(encoding="utf-8"))
    check_containers(rehearsal)
    check_aws_calls(rehearsal)
    check_secrets(rehearsal)


def test_preflight_is_green_after_make_deploy(rehearsal: Rehearsal) -> None:
    with client() as api:
        until(lambda: api.read_workers_for_work_pool(POOL), "a heartbeat of the worker")
    checks = Checklist()
    check_surrounding_prefect(checks, Scope(rehearsal.environment, SETTINGS))
    found = [line for line in checks.lines if not line.check.startswith("automation")]
    assert [line for line in found if line.status != "ok"] == []


@pytest.mark.faults
def test_the_preflight_deployment_is_green_under_the_task_role(rehearsal: Rehearsal) -> None:
    before = rehearsal.place.keys()
    assert completed(rehearsal, rehearsal.start("preflight/preflight")).endswith("checks, all ok")
    assert rehearsal.place.keys() == before
    missing = rehearsal.ended(rehearsal.start("preflight/preflight", playlists=["0" * 22]))
    assert missing.state
    assert missing.state.is_failed()
    assert "1 of" in str(missing.state.message)
    assert str(missing.state.message).endswith("[SPOTIFY_NOT_FOUND]")


@pytest.mark.faults
def test_a_killed_container_crashes_its_run_and_a_backfill_loads_its_snapshot(rehearsal: Rehearsal) -> None:
    run = run_interrupted_in_load(rehearsal, signal.SIGKILL, KILLED)
    ended = rehearsal.ended(run)
    assert ended.state
    assert ended.state.is_crashed()
    assert rehearsal.container(run).exit_code() == 137
    assert KILLED not in partitions(rehearsal)
    repeated = rehearsal.start(BACKFILL, start_date=str(PAST), end_date=str(PAST))
    assert completed(rehearsal, repeated).endswith("loaded")
    assert KILLED in partitions(rehearsal)


@pytest.mark.faults
def test_an_expected_failure_logs_one_error_on_the_console_and_in_prefect(rehearsal: Rehearsal) -> None:
    code = "[NOTHING_KEPT]"
    run = rehearsal.start(BACKFILL, start_date="2020-01-01", end_date="2020-01-02")
    ended = rehearsal.ended(run)
    assert ended.state
    assert ended.state.is_failed()
    assert str(ended.state.message).endswith(code)
    assert rehearsal.logs(run, logging.ERROR) == [ended.state.message]
    console = rehearsal.container(run).log.read_text(encoding="utf-8")
    assert console.count("| ERROR ") == 1, console
    assert console.count(code) == 1, console
    assert "Traceback" not in console


def completed(rehearsal: Rehearsal, run: FlowRun) -> str:
    """Waits for the run, which must complete; returns its message."""
    ended = rehearsal.ended(run)
    assert ended.state
    assert ended.state.is_completed(), rehearsal.container(run).log.read_text(encoding="utf-8")
    return str(ended.state.message)


def partitions(rehearsal: Rehearsal) -> set[Any]:
    """The partitions in the warehouse."""
    return set(rehearsal.place.query("SELECT playlist_id, snapshot_date FROM playlists_history"))


def check_imports(log: str) -> None:
    """Snowflake's modules are imported after reading, because that takes as long as all other imports."""
    assert log.count("1 of 1 playlists read") == 1
    before, after = log.split("1 of 1 playlists read")
    for name in ("snowflake.connector", "prefect_snowflake"):
        assert re.search(rf"\| +{name}$", after, re.MULTILINE)
        assert not re.search(rf"\| +{name}$", before, re.MULTILINE)
    assert re.search(r"\| +spotipy$", before, re.MULTILINE)


def check_containers(rehearsal: Rehearsal) -> None:
    """Each run had one container with the role's credentials; the last one reused a task definition."""
    containers = rehearsal.fargate.containers
    assert len(containers) == 3
    *before, last = [one.definition["taskDefinitionArn"].rpartition("/")[2] for one in containers]
    assert last in before
    assert {name.partition(":")[0] for name in before} == {"spotify-playlist-pipeline"}
    for one in containers:
        assert one.command == ["prefect", "flow-run", "execute"]
        assert one.definition["taskRoleArn"] == TASK_ROLE
        assert one.definition["containerDefinitions"][0]["image"] == ENOUGH["PIPELINE_IMAGE"]
        assert one.credential_requests > 0
        assert not {"PREFECT_HOME", "PREFECT_SERVER_EPHEMERAL_ENABLED"} & one.given.keys()
        assert [value for value in one.given.values() if value.startswith(WORKER_FOLDER)] == []


def check_aws_calls(rehearsal: Rehearsal) -> None:
    """The AWS requests of containers are exactly what the task role's policy allows."""
    actions = {"PUT": "s3:PutObject", "GET": "s3:GetObject", "HEAD": "s3:GetObject", "LIST": "s3:ListBucket"}
    seen = [label.kind.split() for label in rehearsal.traffic.seen if label.service == "s3"]
    assert ["HEAD", "tables"] in seen, "the lost response was resolved by comparing the object"
    requested = {(actions[method], prefix) for method, prefix in seen}
    objects = {action for action, _ in requested} - {"s3:ListBucket"}
    prefixes = {prefix for action, prefix in requested if action in objects}
    assert set(task_role_grants()) == {
        ("s3:ListBucket", "arn:aws:s3:::YOUR-BUCKET"),
        *((action, f"arn:aws:s3:::YOUR-BUCKET/{prefix}/*") for action in objects for prefix in prefixes),
    }
    assert refused_by_s3(rehearsal, "elsewhere/x") == "AccessDenied", "the policy was in force"


def refused_by_s3(rehearsal: Rehearsal, key: str) -> str:
    """Error code of S3 if the task role writes this key in the lake's folder."""
    keys = rehearsal.aws.role_keys(TASK_ROLE)
    client = boto3.client(
        "s3",
        endpoint_url=rehearsal.aws.url,
        region_name=REGION,
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["Token"],
    )
    with pytest.raises(ClientError) as refusal:
        client.put_object(Bucket=BUCKET, Key=f"{rehearsal.place.name}/{key}", Body=b"")
    return str(refusal.value.response["Error"]["Code"])


def check_secrets(rehearsal: Rehearsal) -> None:
    """Prefect's deployments, pools and runs, and the requests to ECS, contain no secret."""
    names = ("SPOTIFY_CLIENT_SECRET", "SPOTIFY_REFRESH_TOKEN", "SNOWFLAKE_PRIVATE_KEY")
    canaries = {rehearsal.environment[name] for name in names} | {"worker-secret", "database-secret"}
    with client() as api:
        shown = [*api.read_deployments(), *api.read_work_pools(), *api.read_flow_runs(limit=200)]
    assert len(shown) > len(ENOUGH)
    texts = [one.model_dump_json() for one in shown]
    texts += [json.dumps([one.definition, one.given], default=str) for one in rehearsal.fargate.containers]
    assert [canary for canary in canaries for text in texts if json.dumps(canary)[1:-1] in text] == []


@pytest.fixture
def notifications(rehearsal: Rehearsal) -> Iterator[list[dict[str, str]]]:
    """Notifications that the automations send, after the command has created them."""
    with webhook() as received:
        for _ in range(2):
            done = module(rehearsal.environment, "deploy", "automations", "--notify", BLOCK)
            assert done.returncode == 0, done.stderr
        yield received


@pytest.mark.faults
def test_a_container_that_exits_at_once_crashes_its_run_and_frees_its_slot(
    rehearsal: Rehearsal, notifications: list[dict[str, str]]
) -> None:
    broken = {"command": "python -c 'raise SystemExit(3)'"}
    runs = [rehearsal.start(BACKFILL, broken) for _ in range(2)]  # the concurrency limit is one
    for run in runs:
        ended = rehearsal.ended(run)
        assert ended.state
        assert ended.state.is_crashed()
        assert rehearsal.container(run).exit_code() == 3
    subjects = {f"{run.name} of backfill: Crashed" for run in runs}
    until(lambda: {one["subject"] for one in notifications} == subjects, "the notifications of both crashes")
    assert all("start the run again" in one["body"] for one in notifications)
    with client() as api:
        names = [one.name for one in api.read_automations() if one.name.startswith(automations.TAG)]
    assert len(names) == len(set(names)) == 8


@pytest.mark.faults
def test_a_run_that_stays_pending_becomes_crashed(
    rehearsal: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(automations, "STUCK_AFTER", timedelta(seconds=10))  # Prefect's minimum
    (stuck,) = [one for one in automations.automations(uuid4()) if one.name.endswith(": stuck")]
    with client() as api:
        made = api.create_automation(stuck)
    try:
        run = rehearsal.start(ON_DEMAND, {"command": "sleep 60"}, playlists=PLAYLISTS[:1])
        ended = rehearsal.ended(run)
    finally:
        with client() as api:
            api.delete_automation(made)
    assert ended.state
    assert ended.state.is_crashed()
    assert str(ended.state.message).startswith("The container did not start: ")
    rehearsal.aws.stop(rehearsal.container(run).arn)


@pytest.mark.faults
def test_the_run_of_a_stopped_task_completes_in_another_container(rehearsal: Rehearsal) -> None:
    run = run_interrupted_in_load(rehearsal, None, STOPPED)
    assert completed(rehearsal, run) == "1 playlist loaded"
    first, second = rehearsal.containers(run)
    assert first.stop_requested_at
    assert first.exit_code() == 0
    until(lambda: second.exit_code() == 0, "the end of the second container")
    assert STOPPED in partitions(rehearsal)


@pytest.mark.faults
def test_a_cancelled_run_stays_cancelled(rehearsal: Rehearsal) -> None:
    rehearsal.traffic.reset(LOADING, FAILURES["silence"])
    run = rehearsal.start(ON_DEMAND, None, **parameters_for(CANCELLED))
    rehearsal.traffic.wait_seen(LOADING)
    with client() as api:
        api.set_flow_run_state(run.id, Cancelling(), force=True)
    ended = rehearsal.ended(run)
    assert ended.state
    assert ended.state.is_cancelled()
    until(lambda: rehearsal.container(run).exit_code() is not None, "the end of the container")
    assert len(rehearsal.containers(run)) == 1
    assert CANCELLED not in partitions(rehearsal)


def parameters_for(partition: tuple[str, date]) -> dict[str, object]:
    """Parameters of a run for one playlist and date."""
    playlist, day = partition
    return {"playlists": [playlist], "snapshot_date": str(day)}


def run_interrupted_in_load(rehearsal: Rehearsal, number: int | None, partition: tuple[str, date]) -> FlowRun:
    """A run whose container gets the signal in the middle of its load; None: whose task is stopped."""
    started: list[FlowRun] = []

    def interrupt(_client: socket.socket) -> bool:
        container = rehearsal.container(started[0])
        if number is None:
            rehearsal.aws.stop(container.arn)
        else:
            container.remove()
        return False

    rehearsal.traffic.reset(LOADING, Fault(before=interrupt))
    started.append(rehearsal.start(ON_DEMAND, None, **parameters_for(partition)))
    rehearsal.traffic.wait_seen(LOADING)
    return started[0]
