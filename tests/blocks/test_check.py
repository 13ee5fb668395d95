"""`python -m blocks register --check`: reports missing and different blocks, and writes nothing."""

from typing import Any

import httpx
import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import BlockDocumentUpdate

from blocks import SpotifyCredentials
from tests.blocks.conftest import Command, documents, pem, stored
from tests.real.account_blocks import blocks_of_environment


@pytest.fixture
def methods(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The method of each request that is sent from now on."""
    sent: list[str] = []
    send = httpx.HTTPTransport.handle_request

    def record(transport: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
        sent.append(request.method)
        return send(transport, request)

    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", record)
    return sent


def catalogue() -> tuple[Any, ...]:
    """Everything in Prefect that `register` can add to."""
    with get_client(sync_client=True) as client:
        limits = client.read_global_concurrency_limits(limit=200)
        return stored(), client.read_block_types(), client.read_block_schemas(), limits


@pytest.mark.parametrize("registered", [False, True])
def test_check_only_reads(
    command: Command, environment: dict[str, str], methods: list[str], *, registered: bool
) -> None:
    if registered:
        command(environment)
    before = catalogue()
    methods.clear()
    output = command(environment, "--check")

    assert set(methods) == {"GET"}
    assert catalogue() == before
    state = "ok" if registered else "missing"
    names = ["spotify", "aws", "lake", "aws-ecs", "warehouse", f"spotify-{environment['SPOTIFY_CLIENT_ID']}"]
    assert output == (not registered, "".join(f"{name}: {state}\n" for name in names), "")
    assert bool(documents()) == registered


def test_fields_that_differ_are_named_and_no_value_is_shown(
    command: Command, environment: dict[str, str]
) -> None:
    command(environment)
    other = {
        "SPOTIFY_CLIENT_SECRET": "canary",
        "LAKE_AWS_ACCESS_KEY_ID": "canary",
        "LAKE_AWS_SECRET_ACCESS_KEY": "canary",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "SNOWFLAKE_PRIVATE_KEY": pem("canary"),
        "SNOWFLAKE_PRIVATE_KEY_PASSPHRASE": "canary",
        "SNOWFLAKE_SCHEMA": "CANARY",
        "SNOWFLAKE_HOST": "canary",
        "SNOWFLAKE_ADMIN_ROLE": "CANARY",
    }
    before = stored()
    output = command({**environment, **other}, "--check")

    assert (output.status, output.err) == (1, "")
    assert output.out == (
        "spotify: differs: client_secret\n"
        "aws: differs: aws_access_key_id, aws_secret_access_key, region_name\n"
        "lake: differs: credentials.aws_access_key_id, credentials.aws_secret_access_key, "
        "credentials.region_name\n"
        "aws-ecs: differs: region_name\n"
        "warehouse-admin: missing\n"
        "warehouse: differs: credentials.host, credentials.private_key, "
        "credentials.private_key_passphrase, schema\n"
        f"spotify-{environment['SPOTIFY_CLIENT_ID']}: ok\n"
    )
    assert stored() == before


def test_a_rotated_token_and_an_unset_key_are_not_differences(
    command: Command, environment: dict[str, str]
) -> None:
    given = {**environment, "SPOTIFY_REFRESH_TOKEN": "first"}
    command(given)
    block: Any = SpotifyCredentials.load("spotify")
    block.store_refresh_token("rotated")
    del environment["SNOWFLAKE_PRIVATE_KEY"], given["SNOWFLAKE_PRIVATE_KEY"]

    for variables in (given, environment):
        output = command(variables, "--check")
        assert (output.status, output.err) == (0, "")
        assert {line.split(": ")[1] for line in output.out.splitlines()} == {"ok"}


def test_contract_tests_write_a_rotated_token_back_to_a_block_that_differs(
    command: Command, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    command({**environment, "SPOTIFY_REFRESH_TOKEN": "first"})
    for name, value in {**environment, "SPOTIFY_CLIENT_SECRET": "corrected"}.items():
        monkeypatch.setenv(name, value)
    spotify = blocks_of_environment()["spotify"]
    spotify.store_refresh_token("rotated")

    kept: Any = SpotifyCredentials.load("spotify")
    assert spotify.client_secret.get_secret_value() == "corrected"
    assert kept.client_secret.get_secret_value() == environment["SPOTIFY_CLIENT_SECRET"]
    assert kept.refresh_token.get_secret_value() == "rotated"


def test_a_rate_limit_is_missing_only_if_one_is_configured(
    command: Command, environment: dict[str, str]
) -> None:
    environment["SPOTIFY_REQUESTS_PER_SECOND"] = "0"
    command(environment)
    assert command(environment, "--check").out.splitlines()[-1] == "warehouse: ok"
    output = command({**environment, "SPOTIFY_REQUESTS_PER_SECOND": "5"}, "--check")

    assert output.status == 1
    assert output.out.splitlines()[-1] == f"spotify-{environment['SPOTIFY_CLIENT_ID']}: missing"


UNREADABLE: list[dict[str, tuple[dict[str, Any], str]]] = [
    {
        "spotify": ({"api_url": "http://canary"}, "api_url: Value error, must be https://"),
        "lake": ({"credentials": {"aws_client_parameters": {"use_ssl": "canary"}}}, "credentials: "),
        "warehouse": ({"fetch_size": "canary"}, "fetch_size: Input should be a valid integer"),
    },
    {
        "spotify": ({"client_id": None}, "client_id: Input should be a valid string"),
        "warehouse": ({"credentials": "canary"}, "a field has the wrong type"),
    },
]


@pytest.mark.parametrize("invalid", UNREADABLE, ids=["values", "types"])
def test_an_invalid_block_is_reported_and_register_replaces_it(
    command: Command, environment: dict[str, str], invalid: dict[str, tuple[dict[str, Any], str]]
) -> None:
    command(environment)
    for block, (fields, _) in invalid.items():
        store_invalid(block, fields)
    output = command(environment, "--check")

    assert output.status == 1
    lines = [line for line in output.out.splitlines() if not line.endswith(": ok")]
    expected = [f"{block}: cannot be read: {problem}" for block, (_, problem) in invalid.items()]
    assert [line[: len(start)] for line, start in zip(lines, expected, strict=True)] == expected
    assert "canary" not in output.out
    keyless = command({**environment, "SNOWFLAKE_PRIVATE_KEY": ""}, "--check")
    assert "the private key of block 'warehouse' cannot be kept" in keyless.err
    assert "canary" not in keyless.err
    assert command(environment).status == 0
    assert command(environment, "--check").status == 0


def store_invalid(name: str, fields: dict[str, Any]) -> None:
    """Stores values that the block class rejects."""
    document = documents()[name]
    with get_client(sync_client=True) as client:
        client.update_block_document(
            document.id,
            BlockDocumentUpdate(
                block_schema_id=document.block_schema_id,
                data={**document.data, **fields},
                merge_existing_data=False,
            ),
        )
