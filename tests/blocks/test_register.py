"""`python -m blocks register`: all blocks, again and again; nothing forgotten, nothing written in doubt."""

import logging
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from secrets import token_hex
from threading import Thread
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect_aws import S3Bucket
from prefect_snowflake import SnowflakeConnector

from blocks import SpotifyCredentials
from blocks.registration import register
from tests.blocks.conftest import OURS, Command, documents, held, pem

KEY = "SNOWFLAKE_PRIVATE_KEY"
NOT_STORED = "not stored. To store keys for runs, set LAKE_AWS_ACCESS_KEY_ID and LAKE_AWS_SECRET_ACCESS_KEY."
FULL = {
    "SPOTIFY_REFRESH_TOKEN": "canary-token",
    "LAKE_AWS_ACCESS_KEY_ID": "key",
    "LAKE_AWS_SECRET_ACCESS_KEY": "canary-aws",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
    "ECS_AWS_ACCESS_KEY_ID": "tasks",
    "ECS_AWS_SECRET_ACCESS_KEY": "canary-ecs",
    "LAKE_FOLDER": "folder",
    "SNOWFLAKE_HOST": "127.0.0.1",
    "SNOWFLAKE_PORT": "443",
    "SNOWFLAKE_ADMIN_ROLE": "OWNER",
    KEY: pem("canary-word"),
    f"{KEY}_PASSPHRASE": "canary-word",
}


def load(kind: Any, name: str) -> Any:
    return kind.load(name)


def loader_key() -> bytes:
    warehouse = load(SnowflakeConnector, "warehouse")
    return bytes(warehouse.credentials.private_key.get_secret_value())


@pytest.mark.parametrize("more", [{}, FULL], ids=["what is needed", "all there is"])
def test_twice_the_same_changes_nothing(
    command: Command, environment: dict[str, str], more: dict[str, str]
) -> None:
    first = command({**environment, **more})
    before = held()
    second = command({**environment, **more})

    names = [
        name
        for name in ("spotify", "aws", "lake", "aws-ecs", "warehouse-admin", "warehouse")
        if name in before
    ]
    assert len(names) == 5 + bool(more)
    assert first.status == second.status == 0
    assert first.err == second.err == ""
    assert first.out.startswith(f"registered: {', '.join(names)}\n")
    assert "canary" not in first.out + second.out
    assert held() == before
    data = {name: block["data"] for name, block in before.items()}
    assert data["spotify"]["client_secret"] == "canary-secret"
    assert data["aws"].get("aws_secret_access_key") == more.get("LAKE_AWS_SECRET_ACCESS_KEY")
    assert data["lake"]["credentials"].get("aws_secret_access_key") == more.get("LAKE_AWS_SECRET_ACCESS_KEY")
    assert data["aws-ecs"].get("aws_secret_access_key") == more.get("ECS_AWS_SECRET_ACCESS_KEY")
    key = {**environment, **more}[KEY]
    assert {data[name]["credentials"]["private_key"] for name in names if "warehouse" in name} == {key}


@pytest.mark.faults
def test_what_is_no_longer_set_is_no_longer_there(command: Command, environment: dict[str, str]) -> None:
    command({**environment, **FULL})
    assert command(environment).status == 0

    assert command(environment, "--check").status == 0
    text = repr([one["data"] for name, one in held().items() if name not in {"spotify", "warehouse-admin"}])
    assert "canary" not in text
    del environment[KEY]
    command({**environment, **FULL})
    assert command(environment, "--new-key-pair").status == 0
    assert load(SnowflakeConnector, "warehouse").credentials.private_key_passphrase is None


def test_an_env_file_alone_is_enough_and_new_values_are_taken(
    command: Command, environment: dict[str, str], folder: Path
) -> None:
    (folder / ".env").write_text("".join(f'{name}="{value}"\n' for name, value in environment.items()))

    assert command({}).status == 0
    assert load(S3Bucket, "lake").bucket_name == "bucket"
    assert loader_key().decode() == environment[KEY]
    assert command({"LAKE_BUCKET": "other"}).status == 0
    assert load(S3Bucket, "lake").bucket_name == "other"


def test_the_source_of_each_secret_is_told_and_keys_of_the_shell_are_not_stored(
    command: Command, environment: dict[str, str], folder: Path
) -> None:
    secret = environment.pop("SPOTIFY_CLIENT_SECRET")
    (folder / ".env").write_text(f"SPOTIFY_CLIENT_SECRET={secret}\nSPOTIFY_REFRESH_TOKEN=canary-token\n")
    shell = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"), "canary-shell")
    told = command({**environment, **shell})
    again = command({**environment, **shell, "SPOTIFY_REFRESH_TOKEN": "canary-other"})

    assert (told.status, told.err) == (0, "")
    assert told.out.splitlines()[1:] == [
        "SPOTIFY_CLIENT_SECRET: from .env",
        f"{KEY}: from the environment",
        "SPOTIFY_REFRESH_TOKEN: from .env",
        "LAKE_AWS_ACCESS_KEY_ID: none stored, runs use their own role",
        "ECS_AWS_ACCESS_KEY_ID: none stored, the work pool uses the worker's own role",
        f"{', '.join(shell)} of the environment: {NOT_STORED}",
    ]
    assert "SPOTIFY_REFRESH_TOKEN: kept from the block\n" in again.out
    assert "canary" not in told.out + again.out
    assert "canary-shell" not in repr(held())


@pytest.mark.parametrize("given", [{}, {"SPOTIFY_REFRESH_TOKEN": "first"}], ids=["none", "the original"])
def test_a_stored_refresh_token_outlives_the_environments(
    command: Command, environment: dict[str, str], given: dict[str, str]
) -> None:
    assert "has a refresh token" not in command({**environment, "SPOTIFY_REFRESH_TOKEN": "first"}).out
    stored = load(SpotifyCredentials, "spotify")
    stored.authorized_at = datetime(2026, 11, 1, tzinfo=UTC)
    stored.save("spotify", overwrite=True)
    stored.store_refresh_token("rotated")
    told = command({**environment, **given})

    kept = load(SpotifyCredentials, "spotify")
    assert kept.refresh_token.get_secret_value() == "rotated"
    assert kept.authorized_at == datetime(2026, 11, 1, tzinfo=UTC)
    assert ("python -m blocks authorize replaces it" in told.out) == bool(given)


def test_another_app_takes_no_refresh_token_over(command: Command, environment: dict[str, str]) -> None:
    command({**environment, "SPOTIFY_REFRESH_TOKEN": "of-the-old-app"})
    new = {"SPOTIFY_CLIENT_ID": f"id{token_hex(4)}", "SPOTIFY_REFRESH_TOKEN": "of-the-new-app"}
    command({**environment, **new})

    assert load(SpotifyCredentials, "spotify").refresh_token.get_secret_value() == "of-the-new-app"


def test_a_stored_private_key_stays_where_none_is_given(
    command: Command, environment: dict[str, str]
) -> None:
    word = {KEY: pem("word"), f"{KEY}_PASSPHRASE": "word"}
    command({**environment, **word})
    before = held()
    del environment[KEY]

    told = command(environment)
    assert told.status == 0
    assert f"{KEY}: kept from the block\n" in told.out
    assert held() == before
    missing = command({**environment, "LAKE_BUCKET": ""})
    assert (missing.status, KEY in missing.err) == (1, False)
    assert command({**environment, "SNOWFLAKE_ADMIN_ROLE": "OWNER"}).status == 0
    admin = load(SnowflakeConnector, "warehouse-admin").credentials
    assert admin.private_key_passphrase.get_secret_value() == "word"
    assert admin.private_key.get_secret_value() == loader_key() == pem("word").encode()


def test_the_rate_limit_is_made_once_and_stays_as_tuned(
    environment: dict[str, str], command: Command
) -> None:
    command(environment)
    name = load(SpotifyCredentials, "spotify").rate_limit
    with get_client(sync_client=True) as client:
        made = client.read_global_concurrency_limit_by_name(name)
        client.upsert_global_concurrency_limit_by_name(name, 7, 1.0)
        command(environment)
        tuned = client.read_global_concurrency_limit_by_name(name)

    assert (made.limit, made.slot_decay_per_second) == (30, 5.0)
    assert (tuned.limit, tuned.slot_decay_per_second) == (7, 1.0)


def test_names_may_have_a_suffix(command: Command, environment: dict[str, str]) -> None:
    del command
    # The runs have to tell of a wrong key too, so this way one can be stored.
    names = register({**environment, "LAKE_FOLDER": "", KEY: "no key"}, suffix="-else")

    assert names == ["spotify-else", "aws-else", "lake-else", "aws-ecs-else", "warehouse-else"]
    assert load(SnowflakeConnector, "warehouse-else").credentials.private_key.get_secret_value() == b"no key"
    assert load(S3Bucket, "lake-else").bucket_name == "bucket"
    assert documents() == {}


WRONG: dict[str, tuple[dict[str, str], list[str], str]] = {
    "several missing": (
        {"SPOTIFY_CLIENT_SECRET": "", "LAKE_BUCKET": " ", KEY: ""},
        [],
        r"not set: SPOTIFY_CLIENT_SECRET, LAKE_BUCKET \(see .*\); SNOWFLAKE_PRIVATE_KEY is not set: set it",
    ),
    "no key anywhere": ({KEY: ""}, [], "SNOWFLAKE_PRIVATE_KEY is not set: set it, or use --new-key-pair$"),
    "no key": ({KEY: "canary"}, [], "SNOWFLAKE_PRIVATE_KEY cannot be read"),
    "wrong passphrase": ({KEY: pem("x"), f"{KEY}_PASSPHRASE": "canary"}, [], f"{KEY} cannot be read"),
    "no passphrase": ({KEY: pem("x")}, [], f"{KEY}_PASSPHRASE is missing"),
    "no key of the admin": (
        {"SNOWFLAKE_ADMIN_ROLE": "R", "SNOWFLAKE_ADMIN_USER": "U", "SNOWFLAKE_ADMIN_PRIVATE_KEY": "canary"},
        [],
        "SNOWFLAKE_ADMIN_PRIVATE_KEY cannot be read",
    ),
    "no number": ({"SPOTIFY_REQUESTS_PER_SECOND": "canary"}, [], "PER_SECOND must be a whole number"),
    "wrong field": (
        {"SPOTIFY_API_URL": "https://u:canary@example.org"},
        [],
        "correct SpotifyCredentials, api_url: Value error, must be https://",
    ),
    "no file": ({}, ["--env-file", "nowhere"], r"nowhere cannot be read \(FileNotFoundError\)"),
    "two keys": ({}, ["--new-key-pair"], f"{KEY} is set: unset it, or leave --new-key-pair out"),
    "look and write": ({KEY: ""}, ["--new-key-pair", "--check"], "choose one"),
    "incomplete with a new key": ({KEY: "", "LAKE_BUCKET": ""}, ["--new-key-pair"], "not set: LAKE_BUCKET"),
}


@pytest.mark.parametrize("name", WRONG)
def test_whatever_is_wrong_is_one_message_and_nothing_is_written(
    command: Command, environment: dict[str, str], name: str
) -> None:
    variables, options, said = WRONG[name]
    told = command({**environment, **variables}, *options)

    assert (told.status, told.out) == (1, "")
    (line,) = told.err.splitlines()
    assert re.match(rf"nothing is (registered|checked): .*{said}", line), line
    assert "canary" not in line
    assert documents() == {}


@pytest.mark.faults
def test_a_process_of_its_own_needs_nothing_but_the_file(
    command: Command, environment: dict[str, str], folder: Path, prefect_api: dict[str, str]
) -> None:
    del command  # no block is stored
    variables = {**environment, "PREFECT_API_URL": prefect_api["PREFECT_API_URL"]}
    (folder / "env").write_text("".join(f"{name}='{value}'\n" for name, value in variables.items()))
    done = subprocess.run(
        [sys.executable, "-m", "blocks.register", "--check", "--env-file", str(folder / "env")],
        cwd=Path(__file__).parents[2],
        env={name: value for name, value in prefect_api.items() if not name.startswith(OURS)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("spotify: missing\naws: missing\n")


def test_a_new_key_pair_is_told_by_halves(
    command: Command, environment: dict[str, str], caplog: pytest.LogCaptureFixture, folder: Path
) -> None:
    del environment[KEY]
    with caplog.at_level(logging.DEBUG):
        told = command({**environment, f"{KEY}_PASSPHRASE": "of no key"}, "--new-key-pair")

    key = serialization.load_pem_private_key(loader_key(), password=None)
    public = "".join(
        key.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
        .splitlines()[1:-1]
    )
    assert told.status == 0
    assert f"public key: {public}\n" in told.out
    assert f"ALTER USER \"LOADER\" SET RSA_PUBLIC_KEY = '{public}';\n" in told.out
    assert "RSA_PUBLIC_KEY_2" in told.out
    secrets = [line for line in loader_key().decode().splitlines() if len(line) == 64]
    assert len(secrets) > 30
    assert [line for line in secrets if line in told.out + told.err + caplog.text] == []
    assert list(folder.iterdir()) == []


def test_a_new_key_pair_replaces_the_old_one_for_all_who_share_it(
    command: Command, environment: dict[str, str]
) -> None:
    admin = {"SNOWFLAKE_ADMIN_ROLE": "OWNER"}
    command({**environment, **admin})
    old = loader_key()
    del environment[KEY]
    assert command({**environment, **admin}, "--new-key-pair").status == 0

    assert loader_key() != old
    shared = load(SnowflakeConnector, "warehouse-admin").credentials.private_key
    assert shared.get_secret_value() == loader_key()
    before = held()
    assert command({**environment, **admin}).status == 0
    assert held() == before


@contextmanager
def answering(status: int, body: str) -> Iterator[str]:
    """A server that answers every request alike."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/api"
        server.shutdown()


ANSWERS = {
    "unauthorised": (401, "canary", r"refuses \(401\): correct PREFECT_API_KEY"),
    "forbidden": (403, "canary", r"refuses \(403\): correct PREFECT_API_KEY"),
    "elsewhere": (404, "canary", r"There is no Prefect API at http://127.0.0.1:\d+/api \(404\)"),
    "failing": (503, "canary", r"fails \(503\)"),
    "a page": (200, "<html>canary", "is no Prefect API: correct PREFECT_API_URL"),
    "another version": (200, '"2.0.0"', "Major versions must match"),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_what_is_no_prefect_api_is_one_message(
    command: Command, environment: dict[str, str], name: str
) -> None:
    status, body, said = ANSWERS[name]
    with answering(status, body) as url, temporary_settings({PREFECT_API_URL: url}):
        told = command(environment, "--check")

    assert (told.status, told.out) == (1, "")
    (line,) = told.err.splitlines()
    assert re.search(said, line), line
    assert "canary" not in line


URLS = {  # and how it is called
    "http://u:canary@127.0.0.1:1/api": "http://127.0.0.1:1/api does not answer (ConnectError)",
    "ftp://127.0.0.1/api": "ftp://127.0.0.1/api does not answer (UnsupportedProtocol)",
    "http://u@127.0.0.1:canary/api": "PREFECT_API_URL, which is not a URL, does not answer (InvalidURL)",
}


@pytest.mark.parametrize("url", URLS)
def test_the_file_may_name_prefects_api(
    command: Command, environment: dict[str, str], folder: Path, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: None)  # httpx waits before it connects again
    (folder / "away").write_text(f"PREFECT_API_URL={url}\n")
    told = command(environment, "--env-file", "away")

    assert (told.status, told.out) == (1, "")
    assert told.err.startswith(f"Prefect's API at {URLS[url]}")
    assert "canary" not in told.err
    real = PREFECT_API_URL.value()
    assert command({**environment, "PREFECT_API_URL": real}, "--env-file", "away").status == 0
    assert len(documents()) == 5


def test_an_api_that_fails_half_way_is_one_message(
    command: Command, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    send = httpx.HTTPTransport.handle_request

    def lose_the_lake(transport: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
        if request.method == "POST" and b'"bucket_name":"bucket"' in request.read().replace(b" ", b""):
            return httpx.Response(500, text="canary", request=request)
        return send(transport, request)

    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", lose_the_lake)
    told = command(environment)

    assert (told.status, told.out) == (1, "")
    assert told.err == f"Prefect's API at {PREFECT_API_URL.value()} fails (500): run it again\n"
    assert list(documents()) == ["spotify", "aws"]
