"""`python -m blocks register`: idempotent, keeps rotated tokens and keys, writes nothing on a mistake."""

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
from tests.blocks.conftest import PREFIXES, Command, documents, pem, stored

KEY = "SNOWFLAKE_PRIVATE_KEY"
NOT_STORED = "not stored. To store keys for runs, set LAKE_AWS_ACCESS_KEY_ID and LAKE_AWS_SECRET_ACCESS_KEY."
ALL_VARIABLES = {
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


@pytest.mark.parametrize("more", [{}, ALL_VARIABLES], ids=["required only", "all variables"])
def test_registering_again_changes_nothing(
    command: Command, environment: dict[str, str], more: dict[str, str]
) -> None:
    first = command({**environment, **more})
    before = stored()
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
    assert stored() == before
    data = {name: block["data"] for name, block in before.items()}
    assert data["spotify"]["client_secret"] == "canary-secret"
    assert data["aws"].get("aws_secret_access_key") == more.get("LAKE_AWS_SECRET_ACCESS_KEY")
    assert data["lake"]["credentials"].get("aws_secret_access_key") == more.get("LAKE_AWS_SECRET_ACCESS_KEY")
    assert data["aws-ecs"].get("aws_secret_access_key") == more.get("ECS_AWS_SECRET_ACCESS_KEY")
    key = {**environment, **more}[KEY]
    assert {data[name]["credentials"]["private_key"] for name in names if "warehouse" in name} == {key}


@pytest.mark.faults
def test_values_that_are_no_longer_set_are_removed(command: Command, environment: dict[str, str]) -> None:
    command({**environment, **ALL_VARIABLES})
    assert command(environment).status == 0

    assert command(environment, "--check").status == 0
    text = repr([one["data"] for name, one in stored().items() if name not in {"spotify", "warehouse-admin"}])
    assert "canary" not in text
    del environment[KEY]
    command({**environment, **ALL_VARIABLES})
    assert command(environment, "--new-key-pair").status == 0
    assert load(SnowflakeConnector, "warehouse").credentials.private_key_passphrase is None


def test_an_env_file_alone_is_enough_and_new_values_are_stored(
    command: Command, environment: dict[str, str], folder: Path
) -> None:
    (folder / ".env").write_text("".join(f'{name}="{value}"\n' for name, value in environment.items()))

    assert command({}).status == 0
    assert load(S3Bucket, "lake").bucket_name == "bucket"
    assert loader_key().decode() == environment[KEY]
    assert command({"LAKE_BUCKET": "other"}).status == 0
    assert load(S3Bucket, "lake").bucket_name == "other"


def test_the_source_of_each_secret_is_printed_and_keys_of_the_shell_are_not_stored(
    command: Command, environment: dict[str, str], folder: Path
) -> None:
    secret = environment.pop("SPOTIFY_CLIENT_SECRET")
    (folder / ".env").write_text(f"SPOTIFY_CLIENT_SECRET={secret}\nSPOTIFY_REFRESH_TOKEN=canary-token\n")
    shell = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"), "canary-shell")
    output = command({**environment, **shell})
    again = command({**environment, **shell, "SPOTIFY_REFRESH_TOKEN": "canary-other"})

    assert (output.status, output.err) == (0, "")
    assert output.out.splitlines()[1:] == [
        "SPOTIFY_CLIENT_SECRET: from .env",
        f"{KEY}: from the environment",
        "SPOTIFY_REFRESH_TOKEN: from .env",
        "LAKE_AWS_ACCESS_KEY_ID: none stored, runs use their task role",
        "ECS_AWS_ACCESS_KEY_ID: none stored, the work pool uses the worker's role",
        f"{', '.join(shell)} from the environment: {NOT_STORED}",
    ]
    assert "SPOTIFY_REFRESH_TOKEN: kept from the block\n" in again.out
    assert "canary" not in output.out + again.out
    assert "canary-shell" not in repr(stored())


@pytest.mark.parametrize("given", [{}, {"SPOTIFY_REFRESH_TOKEN": "first"}], ids=["none", "the original"])
def test_a_rotated_refresh_token_is_kept(
    command: Command, environment: dict[str, str], given: dict[str, str]
) -> None:
    assert "already has a refresh token" not in command({**environment, "SPOTIFY_REFRESH_TOKEN": "first"}).out
    block = load(SpotifyCredentials, "spotify")
    block.authorized_at = datetime(2026, 11, 1, tzinfo=UTC)
    block.save("spotify", overwrite=True)
    block.store_refresh_token("rotated")
    output = command({**environment, **given})

    kept = load(SpotifyCredentials, "spotify")
    assert kept.refresh_token.get_secret_value() == "rotated"
    assert kept.authorized_at == datetime(2026, 11, 1, tzinfo=UTC)
    assert ("already has a refresh token" in output.out) == bool(given)


def test_another_app_does_not_keep_the_refresh_token(command: Command, environment: dict[str, str]) -> None:
    command({**environment, "SPOTIFY_REFRESH_TOKEN": "of-the-old-app"})
    new = {"SPOTIFY_CLIENT_ID": f"id{token_hex(4)}", "SPOTIFY_REFRESH_TOKEN": "of-the-new-app"}
    command({**environment, **new})

    assert load(SpotifyCredentials, "spotify").refresh_token.get_secret_value() == "of-the-new-app"


def test_a_stored_private_key_is_kept_if_none_is_set(command: Command, environment: dict[str, str]) -> None:
    word = {KEY: pem("word"), f"{KEY}_PASSPHRASE": "word"}
    command({**environment, **word})
    before = stored()
    del environment[KEY]

    output = command(environment)
    assert output.status == 0
    assert f"{KEY}: kept from the block\n" in output.out
    assert stored() == before
    missing = command({**environment, "LAKE_BUCKET": ""})
    assert (missing.status, KEY in missing.err) == (1, False)
    assert command({**environment, "SNOWFLAKE_ADMIN_ROLE": "OWNER"}).status == 0
    admin = load(SnowflakeConnector, "warehouse-admin").credentials
    assert admin.private_key_passphrase.get_secret_value() == "word"
    assert admin.private_key.get_secret_value() == loader_key() == pem("word").encode()


def test_the_rate_limit_is_created_once_and_later_changes_are_kept(
    environment: dict[str, str], command: Command
) -> None:
    command(environment)
    name = load(SpotifyCredentials, "spotify").rate_limit
    with get_client(sync_client=True) as client:
        created = client.read_global_concurrency_limit_by_name(name)
        client.upsert_global_concurrency_limit_by_name(name, 7, 1.0)
        command(environment)
        tuned = client.read_global_concurrency_limit_by_name(name)

    assert (created.limit, created.slot_decay_per_second) == (30, 5.0)
    assert (tuned.limit, tuned.slot_decay_per_second) == (7, 1.0)


def test_names_may_have_a_suffix(command: Command, environment: dict[str, str]) -> None:
    del command
    # Not validated: tests of runs need a block with a wrong key.
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
    "two keys": ({}, ["--new-key-pair"], f"{KEY} is set: unset it, or omit --new-key-pair"),
    "check and write": ({KEY: ""}, ["--new-key-pair", "--check"], "use only one of them"),
    "incomplete with a new key": ({KEY: "", "LAKE_BUCKET": ""}, ["--new-key-pair"], "not set: LAKE_BUCKET"),
}


@pytest.mark.parametrize("name", WRONG)
def test_any_mistake_is_one_message_and_nothing_is_written(
    command: Command, environment: dict[str, str], name: str
) -> None:
    variables, options, problem = WRONG[name]
    output = command({**environment, **variables}, *options)

    assert (output.status, output.out) == (1, "")
    (line,) = output.err.splitlines()
    assert re.match(rf"nothing was (registered|checked): .*{problem}", line), line
    assert "canary" not in line
    assert documents() == {}


@pytest.mark.faults
def test_a_new_process_needs_only_the_file(
    command: Command, environment: dict[str, str], folder: Path, prefect_api: dict[str, str]
) -> None:
    del command  # no block is stored
    variables = {**environment, "PREFECT_API_URL": prefect_api["PREFECT_API_URL"]}
    (folder / "env").write_text("".join(f"{name}='{value}'\n" for name, value in variables.items()))
    done = subprocess.run(
        [sys.executable, "-m", "blocks.register", "--check", "--env-file", str(folder / "env")],
        cwd=Path(__file__).parents[2],
        env={name: value for name, value in prefect_api.items() if not name.startswith(PREFIXES)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("spotify: missing\naws: missing\n")


def test_a_new_key_pair_prints_only_the_public_key(
    command: Command, environment: dict[str, str], caplog: pytest.LogCaptureFixture, folder: Path
) -> None:
    del environment[KEY]
    with caplog.at_level(logging.DEBUG):
        output = command({**environment, f"{KEY}_PASSPHRASE": "of no key"}, "--new-key-pair")

    key = serialization.load_pem_private_key(loader_key(), password=None)
    public = "".join(
        key.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
        .splitlines()[1:-1]
    )
    assert output.status == 0
    assert f"public key: {public}\n" in output.out
    assert f"ALTER USER \"LOADER\" SET RSA_PUBLIC_KEY = '{public}';\n" in output.out
    assert "RSA_PUBLIC_KEY_2" in output.out
    secrets = [line for line in loader_key().decode().splitlines() if len(line) == 64]
    assert len(secrets) > 30
    assert [line for line in secrets if line in output.out + output.err + caplog.text] == []
    assert list(folder.iterdir()) == []


def test_a_new_key_pair_replaces_the_old_one_in_both_blocks_that_share_it(
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
    before = stored()
    assert command({**environment, **admin}).status == 0
    assert stored() == before


@contextmanager
def responding(status: int, body: str) -> Iterator[str]:
    """A server that returns the same response to every request."""

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


RESPONSES = {
    "unauthorised": (401, "canary", r"refused the request \(401\): correct PREFECT_API_KEY"),
    "forbidden": (403, "canary", r"refused the request \(403\): correct PREFECT_API_KEY"),
    "elsewhere": (404, "canary", r"There is no Prefect API at http://127.0.0.1:\d+/api \(404\)"),
    "failing": (503, "canary", r"failed \(503\)"),
    "a page": (200, "<html>canary", "is not a Prefect API: correct PREFECT_API_URL"),
    "another version": (200, '"2.0.0"', "Major versions must match"),
}


@pytest.mark.parametrize("name", RESPONSES)
def test_a_server_that_is_not_a_usable_prefect_api_is_one_message(
    command: Command, environment: dict[str, str], name: str
) -> None:
    status, body, problem = RESPONSES[name]
    with responding(status, body) as url, temporary_settings({PREFECT_API_URL: url}):
        output = command(environment, "--check")

    assert (output.status, output.out) == (1, "")
    (line,) = output.err.splitlines()
    assert re.search(problem, line), line
    assert "canary" not in line


URLS = {
    "http://u:canary@127.0.0.1:1/api": "http://127.0.0.1:1/api does not respond (ConnectError)",
    "ftp://127.0.0.1/api": "ftp://127.0.0.1/api does not respond (UnsupportedProtocol)",
    "http://u@127.0.0.1:canary/api": "PREFECT_API_URL, which is not a URL, does not respond (InvalidURL)",
}
"""PREFECT_API_URL, and the start of the message about it."""


@pytest.mark.parametrize("url", URLS)
def test_the_env_file_may_set_prefects_api(
    command: Command, environment: dict[str, str], folder: Path, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: None)  # httpx sleeps before it connects again
    (folder / "away").write_text(f"PREFECT_API_URL={url}\n")
    output = command(environment, "--env-file", "away")

    assert (output.status, output.out) == (1, "")
    assert output.err.startswith(f"Prefect's API at {URLS[url]}")
    assert "canary" not in output.err
    real = PREFECT_API_URL.value()
    assert command({**environment, "PREFECT_API_URL": real}, "--env-file", "away").status == 0
    assert len(documents()) == 5


def test_an_api_that_fails_after_two_blocks_is_one_message(
    command: Command, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    send = httpx.HTTPTransport.handle_request

    def lose_the_lake(transport: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
        if request.method == "POST" and b'"bucket_name":"bucket"' in request.read().replace(b" ", b""):
            return httpx.Response(500, text="canary", request=request)
        return send(transport, request)

    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", lose_the_lake)
    output = command(environment)

    assert (output.status, output.out) == (1, "")
    assert output.err == f"Prefect's API at {PREFECT_API_URL.value()} failed (500): run it again\n"
    assert list(documents()) == ["spotify", "aws"]
